import * as z from "zod";
import { secretName } from "./arguments.ts";

// What the tool takes and gives: clients want to see it before anything else is loaded.

export const MOST_OUTPUT_BYTES = 1024 * 1024;
const MAX_INPUT_CHARACTERS = 1024 * 1024;
export const DEFAULT_TIMEOUT_S = 60;
const MAX_TIMEOUT_S = 3600;

const text = (most: number) =>
  z
    .string()
    .max(most)
    .refine((given) => !given.includes("\0"), "no NUL");

export const input = z.strictObject({
  command: z
    .array(text(131_072))
    .min(1)
    .max(4096)
    .describe(
      "the program and its arguments, each a string of its own; no shell looks at them, so $VAR, | and > mean nothing unless the program is a shell",
    ),
  secrets: z
    .array(
      z.union([
        secretName,
        z.strictObject({
          name: secretName,
          as: z.enum(["env", "file"]).describe("in the variable itself, or as a file whose path it holds"),
          variable: z
            .string()
            .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/)
            .describe("the environment variable"),
        }),
      ]),
    )
    .min(1)
    .max(64)
    .describe(
      "what the program gets, and nothing else; a name alone comes in the variable that list_secrets shows",
    ),
  cwd: text(4096).optional().describe("the folder it starts in (default: the server's)"),
  stdin: z.string().max(MAX_INPUT_CHARACTERS).optional().describe("what it reads from standard input"),
  timeout_s: z
    .number()
    .positive()
    .max(MAX_TIMEOUT_S)
    .optional()
    .describe(`it is killed after so many seconds (default: ${DEFAULT_TIMEOUT_S})`),
});

export const output = z.object({
  exit_status: z.number().describe("the program's own; 128 + n where signal n ended it"),
  timed_out: z.boolean(),
  stdout: z.string().describe("masked"),
  stderr: z.string().describe("masked"),
  dropped_bytes: z.number().describe(`of the output, beyond ${MOST_OUTPUT_BYTES} bytes`),
  masked: z.array(z.object({ name: z.string(), count: z.number() })),
});

export type Input = z.infer<typeof input>;
