import { statSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import { type Captured, runCaptured } from "../launch/captured.ts";
import type { Child } from "../launch/child.ts";
import { ChildDescriptors } from "../launch/child-descriptors.ts";
import { inheritedEnvironment } from "../launch/environment.ts";
import { DEFAULT_PATH, requireExecutable } from "../launch/executable.ts";
import { inject } from "../launch/inject.ts";
import { reportLeaks } from "../launch/leaks.ts";
import { type Delivery, deliver, grantedSecrets, select } from "../launch/select.ts";
import { formatRef, parseSecretRef } from "../vault/names.ts";
import { allowsCommand, formatCommandRule } from "../vault/policy.ts";
import { systemCode, VaultError } from "../vault-error.ts";
import { type Answer, type Call, type Calls, result } from "./calls.ts";
import { Progress } from "./progress.ts";
import { DEFAULT_TIMEOUT_S, type Input, MOST_OUTPUT_BYTES } from "./run-schemas.ts";

/** Starts a program with secrets that the model names and never sees. */
export async function runWithSecrets(calls: Calls, args: Input, call: Call): Promise<Answer> {
  const { session } = call;
  const deliveries = select(session, { ...selectionOf(args.secrets, session), allowExpired: false });
  for (const group of new Set(deliveries.map(({ secret }) => secret.group)))
    requireAllowed(call, group, args.command);
  const base = commandOf(calls, args, call);
  // Before anything is opened: a name that was mistyped is no pull.
  requireExecutable(base);
  const descriptors = new ChildDescriptors([]);
  try {
    const child = await prepare(calls, call, deliveries, base, descriptors);
    return await run(calls, call, child, args, descriptors);
  } finally {
    descriptors.close();
  }
}

function selectionOf(secrets: Input["secrets"], session: Call["session"]) {
  const places = secrets.filter((secret) => typeof secret !== "string");
  const alone = new Set(secrets.filter((secret) => typeof secret === "string"));
  // To a launch, a place that is named stands for the secret's own, which was asked for as well.
  const both = [...alone].filter((name) => places.some((place) => place.name === name));
  const own = ownPlaces(both, session).filter(({ name, variable }) =>
    places.every((place) => place.name !== name || place.variable !== variable),
  );
  const mapped = [...places, ...own];
  const of = (as: "env" | "file") =>
    mapped.filter((secret) => secret.as === as).map(({ variable, name }) => `${variable}=${name}`);
  // All of them: where there is none in it, a launch takes every secret that was granted.
  const only = secrets.map((secret) => (typeof secret === "string" ? secret : secret.name));
  return { group: [], only, env: of("env"), file: of("file"), pipe: [] };
}

function ownPlaces(names: readonly string[], session: Call["session"]) {
  if (names.length === 0) return [];
  const secrets = grantedSecrets(session, [], names.map(parseSecretRef));
  return deliver(secrets).map(({ secret, variable, as }) => ({ name: formatRef(secret), variable, as }));
}

function requireAllowed(
  { session }: Call,
  group: Delivery["secret"]["group"],
  command: readonly string[],
): void {
  const { policy } = session.vault.group(group);
  if (allowsCommand(policy, command)) return;
  const rules = policy.commands?.map(formatCommandRule) ?? [];
  throw new VaultError(
    "not-allowed",
    `the owner binds ${group} to other commands`,
    rules.length === 0
      ? `no command may have it; see list_secrets for what may be done with ${group}`
      : `call one that begins with: ${rules.join(", or: ")}; each word must be as it is there`,
  );
}

function commandOf(calls: Calls, { command: words, cwd }: Input, { session }: Call): Child {
  const [program = "", ...rest] = words;
  if (program === "")
    throw new VaultError("usage", "the command's first word is empty", "name a program there");
  const command: Child["command"] = [program, ...rest];
  const folder = resolve(calls.machine.cwd, cwd ?? ".");
  if (!isFolder(folder))
    throw new VaultError("usage", "cwd is no folder", "give the path of one that is there");
  const options = { cleanEnv: false, pass: [] };
  const env = inheritedEnvironment(calls.machine.env, options, session.identity.reveal());
  // The model says where the program starts: what a name means must not hang on that.
  const folders = (env.PATH ?? "").split(delimiter).filter((entry) => entry.startsWith("/"));
  // An empty one would be that folder, and shells have a default of their own, which it may be part of.
  env.PATH = folders.length === 0 ? DEFAULT_PATH : folders.join(delimiter);
  return { command, cwd: folder, env, descriptors: new Map() };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

/** Opens the values, records it, and puts them where they are to go. */
function prepare(
  calls: Calls,
  call: Call,
  deliveries: readonly Delivery[],
  base: Child,
  descriptors: ChildDescriptors,
): Promise<Child> {
  const secrets = [...new Map(deliveries.map(({ secret }) => [formatRef(secret), secret])).values()];
  return calls.release(call, secrets, { command: base.command[0] }, async (values) => {
    const env: Record<string, string> = Object.assign(Object.create(null), base.env);
    const replacing = { strictEnv: false, warn: () => {} };
    await calls.protection.whileShown(() =>
      inject(deliveries, values, { env, descriptors, libc: undefined }, replacing),
    );
    for (const value of values) value.dispose();
    return { ...base, env, descriptors: descriptors.given };
  });
}

async function run(
  calls: Calls,
  call: Call,
  child: Child,
  { stdin, timeout_s: timeoutS = DEFAULT_TIMEOUT_S }: Input,
  descriptors: ChildDescriptors,
): Promise<Answer> {
  const redaction = await calls.seen.redaction();
  const timeout = AbortSignal.timeout(Math.ceil(timeoutS * 1000));
  const progress = new Progress(call.context);
  const captured = await runCaptured(child, {
    stdin,
    filters: (stream) => redaction.stream(stream),
    mostBytes: MOST_OUTPUT_BYTES,
    kill: AbortSignal.any([call.signal, timeout]),
    protection: calls.protection,
    orphans: calls.orphans,
    started: () => descriptors.started(),
    wrote: (bytes) => progress.wrote(bytes),
  }).finally(() => progress.end());
  redaction.end();
  const isCut = captured.droppedBytes > 0;
  const stdout = redaction.kept(captured.stdout, "stdout", isCut);
  const stderr = redaction.kept(captured.stderr, "stderr", isCut);
  const leaks = redaction.leaks();
  await reportLeaks(call.session, leaks, { command: child.command, quiet: true }, undefined, calls.warn);
  call.signal.throwIfAborted();
  const masked = Map.groupBy(leaks, ({ name }) => name);
  return answer(
    { ...captured, stdout, stderr },
    timeout.aborted,
    [...masked].map(([name, found]) => ({
      name,
      count: found.reduce((sum, { count }) => sum + count, 0),
    })),
  );
}

function answer(
  { status, stdout, stderr, droppedBytes }: Captured,
  timedOut: boolean,
  masked: readonly { readonly name: string; readonly count: number }[],
): Answer {
  const [out, err] = [stdout.toString("utf8"), stderr.toString("utf8")];
  const notes = [
    timedOut ? "killed: its time was over" : [],
    droppedBytes > 0 ? `${droppedBytes} more bytes of output are not shown` : [],
    masked.length > 0
      ? `masked in the output: ${masked.map(({ name, count }) => `${name} ${count}x`).join(", ")}`
      : [],
  ].flat();
  const parts = [
    [`exit status ${status}`, ...notes].join("\n"),
    ...(out === "" ? [] : [`--- stdout\n${out}`]),
    ...(err === "" ? [] : [`--- stderr\n${err}`]),
  ];
  return result(parts.join("\n"), {
    exit_status: status,
    timed_out: timedOut,
    stdout: out,
    stderr: err,
    dropped_bytes: droppedBytes,
    masked,
  });
}
