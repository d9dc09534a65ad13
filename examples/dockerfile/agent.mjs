// Stands for the agent: works until it is told to stop, and then ends what it is at.
import { readFileSync } from "node:fs";

const { prices } = JSON.parse(readFileSync("built.json", "utf8"));
const work = setInterval(() => {}, 1000);
process.on("SIGTERM", () => {
  console.log("agent: stopping");
  clearInterval(work);
});
console.log(`agent: asking for ${prices.length} prices with ${process.env.API_KEY}`);
