// Writes docs/REFERENCE.md; test/docs.test.ts fails where it is not what this writes.
import { writeFileSync } from "node:fs";
import { referencePage } from "../src/cli/reference-page.ts";

writeFileSync("docs/REFERENCE.md", referencePage());
