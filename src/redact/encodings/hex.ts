export function hexForms(value: Buffer): string[] {
  const lower = value.toString("hex");
  return [lower, lower.toUpperCase()];
}
