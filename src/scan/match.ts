/** What was found in a text: where, by which rule, and what to call it. Never what it is. */
export interface Match {
  /** A stable word: docs/CLI.md lists those of our own, secretlint's are its rules' names. */
  readonly rule: string;
  /** `an age identity`, `a key of OpenRouter`. */
  readonly what: string;
  /** In characters of the text that was looked through. */
  readonly start: number;
  readonly end: number;
}
