export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN;
}

/** Megabytes (10^6 bytes) a second. */
export function megabytesPerSecond(bytes: number, ms: number): number {
  return bytes / 1e3 / ms;
}
