import { Pins } from "../vault/pins.ts";

/** For records of the past, which may be older than what this machine has seen. Nothing is remembered of them. */
export class NoPins extends Pins {
  constructor() {
    super("/nonexistent");
  }

  override save(): Promise<void> {
    throw new TypeError("what is read from the past is not pinned");
  }
}
