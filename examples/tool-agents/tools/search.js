// A tool: signs a query for the search service.
import { createHmac } from "node:crypto";

const [query] = process.argv.slice(2);
const signature = createHmac("sha256", process.env.SEARCH_KEY).update(query).digest("hex");
console.log(JSON.stringify({ query, signature }));
