// Stands for the service that the agent calls: it answers who has the token, on a free port, whose address it prints.
import { timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const expected = Buffer.from(`Bearer ${process.env.WEATHER_TOKEN}`);
const server = createServer((request, response) => {
  const given = Buffer.from(request.headers.authorization ?? "");
  const isKnown = given.length === expected.length && timingSafeEqual(given, expected);
  response.writeHead(isKnown ? 200 : 401, { "content-type": "application/json" });
  response.end(isKnown ? '{"sky":"sunny","degrees":21}' : '{"error":"unknown token"}');
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/`));
