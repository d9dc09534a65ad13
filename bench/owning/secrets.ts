import { makeTokens } from "../redact/secrets.ts";

/** What every repository begins with. */
export const SECRETS = makeTokens(10);
export const NAMES = SECRETS.map(({ variable }) => variable);
