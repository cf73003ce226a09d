// What a benchmark file is: it exports `name` and `run`, and shows its own figures when it is started as a program. Timings are shown
// with their budget, never tested.

/** One figure. `value` and `budget` are in `unit`; smaller is better. */
export interface BenchRow {
  what: string;
  value: number;
  unit: string;
  /** Left out for a figure that is shown for comparison only. */
  budget?: number;
  note?: string;
}

const shown = (value: number, unit: string): string =>
  `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} ${unit}`;

/** One line for each figure: what, measured, budget, and `ok` or by how much it is missed. */
export function formatRows(rows: readonly BenchRow[]): string {
  const cells = rows.map((row) => [
    row.what,
    shown(row.value, row.unit),
    row.budget === undefined ? '' : `≤ ${row.budget} ${row.unit}`,
    row.budget === undefined
      ? ''
      : row.value <= row.budget
        ? 'ok'
        : `missed by ${(((row.value - row.budget) / row.budget) * 100).toFixed(0)} %`,
    row.note ?? '',
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column].length)));
  return cells
    .map((row) =>
      `  ${row.map((cell, column) => (column < 4 ? cell.padEnd(widths[column]) : cell)).join('  ')}`.trimEnd(),
    )
    .join('\n');
}

/** Run and print, if the module is the program. */
export async function main(meta: { main: boolean }, run: () => Promise<BenchRow[]>): Promise<void> {
  if (meta.main) console.log(formatRows(await run()));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
