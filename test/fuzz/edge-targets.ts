import { complete } from "../../src/cli/completion/complete.ts";
import type { ReportData } from "../../src/report/data.ts";
import { reportHtml } from "../../src/report/html.ts";
import { requireRun } from "../../src/sdk/run-options.ts";
import { VaultError } from "../../src/vault-error.ts";
import { accepts, requireSame, type Target } from "./promises.ts";

// What programs, shells and browsers are handed or hand over.

const PAGE = { script: "run()", style: "p{}", notices: "none" };
const DATA = /<script type="application\/json" id="data">(.*?)<\/script>/s;
const NAMES = {
  agents: () => ["crawler", "other"],
  groups: () => ["mail", "stripe"],
  owners: () => ["ann", "bea"],
  secrets: (group: string) => (group === "stripe" ? ["API_KEY", "OTHER"] : []),
};
/** How the engine words what nobody looked at. */
const UNCHECKED = /^Cannot |is not (iterable|a function)/;

export const EDGE_TARGETS: Readonly<Record<string, Target>> = {
  completion: (bytes) => {
    const words = bytes.toString().split("\0");
    const found = complete(words, NAMES);
    if (found.kind !== "words") return true;
    if (!found.words.every(({ word }) => word.startsWith(words.at(-1) ?? "")))
      throw new Error("a word that does not begin as what was typed");
    return found.words.length > 0;
  },
  "sdk-options": (bytes) => {
    let given: unknown;
    try {
      given = JSON.parse(bytes.toString());
    } catch {
      return false;
    }
    if (!Array.isArray(given)) return false;
    const [command, args, options] = given as Parameters<typeof requireRun>;
    return accepts(() => {
      try {
        requireRun(command, args, Object(options));
      } catch (error) {
        // A programmer's misuse is shown to the programmer, as it is.
        if (!(error instanceof TypeError) || UNCHECKED.test(error.message)) throw error;
        throw new VaultError("usage", "no such options", "");
      }
    });
  },
  report: (bytes) => {
    const data = { text: bytes.toString() };
    const html = reportHtml(data as unknown as ReportData, PAGE);
    const plain = reportHtml({ text: "" } as unknown as ReportData, PAGE);
    requireSame(JSON.stringify(JSON.parse(DATA.exec(html)?.[1] ?? "")), JSON.stringify(data));
    if (html.split("<").length !== plain.split("<").length) throw new Error("the data make a tag");
    return true;
  },
};
