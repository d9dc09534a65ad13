/** Columns as wide as their cells, the first to the left and the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const format = (line: readonly string[]): string =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return lines.map(format).join("\n");
}

export function rounded(value: number, digits = 0): string {
  return value.toFixed(digits);
}

export function yesNo(value: boolean): string {
  return value ? "yes" : "no";
}
