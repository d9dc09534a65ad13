// Stands for a step of the build that needs a secret, as one that fetches private packages does.
import { writeFileSync } from "node:fs";

if (process.env.API_KEY === undefined) throw new Error("there is no API_KEY");
console.log("build: fetching with", process.env.API_KEY);
writeFileSync("built.json", '{ "prices": [21, 42] }\n');
