import type { Machine } from "../vault/machine.ts";
import type { SecretRecord } from "../vault/schema.ts";
import type { Change } from "./change.ts";
import type { OwnerSession } from "./owner-session.ts";
import type { Plan, Progress } from "./plan.ts";

// What makes the plan of a change that programs hold as a value.

export interface Made<Result> {
  readonly plan: Plan;
  readonly exposed: readonly SecretRecord[];
  readonly result: Result;
}

type Maker<Result> = (
  session: OwnerSession,
  machine: Machine,
  progress: Progress,
) => Made<Result> | Promise<Made<Result>>;

const makers = new WeakMap<Change<unknown>, Maker<unknown>>();

export function change<Result>(action: string, make: Maker<Result>): Change<Result> {
  const made: Change<Result> = Object.freeze({ action });
  makers.set(made, make);
  return made;
}

/** @throws {TypeError} for anything but a change. */
export function makerOf<Result>(made: Change<Result>): Maker<Result> {
  const maker = makers.get(made);
  if (maker === undefined) throw new TypeError("not a change of vault-run/admin");
  return maker as Maker<Result>;
}
