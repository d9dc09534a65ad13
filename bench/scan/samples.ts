/** A text that a scanner's own tests hold to be a secret, or to be none. */
export interface Sample {
  readonly rule: string;
  readonly file: string;
  readonly text: string;
  readonly positive: boolean;
}
