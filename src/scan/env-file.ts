import { basename } from "node:path";
import { textOf } from "./content.ts";
import { isPassword } from "./formats/structured.ts";

const ENV_FILE = /^\.env(?:\.[\w.-]+)?$|\.env$|^\.envrc$/i;
/** Such files are there to be committed; what is in them is looked through by the other rules all the same. */
const TEMPLATE = /\.(?:example|sample|template|dist|tpl|tmpl)$/i;
/** Of a value, what it is judged by: 10 MB are too much for an expression's stack. */
const JUDGED_LENGTH = 65_536;
/** The first one may stand behind a byte order mark. */
const LINE = /^\uFEFF?[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)$/gm;

/** Whether a file is to hold values for variables. */
export function isEnvFile(file: string): boolean {
  const leaf = basename(file);
  return ENV_FILE.test(leaf) && !TEMPLATE.test(leaf);
}

/** The names that a `.env` file gives values to, of those given. */
export function findPlainEnv(bytes: Buffer, names: ReadonlySet<string>): string[] {
  const found = new Set<string>();
  for (const [, name = "", value = ""] of textOf(bytes).matchAll(LINE)) {
    if (names.has(name) && isPassword(plainOf(value.slice(0, JUDGED_LENGTH)))) found.add(name);
  }
  return [...found];
}

/** Without its quotes and the comment behind it, whose words say nothing of the value. */
function plainOf(value: string): string {
  const quoted = /^(["'`])((?:\\.|(?!\1)[^\\])*)\1/.exec(value)?.[2];
  return (quoted ?? value.replace(/\s#.*$/, "")).trim();
}
