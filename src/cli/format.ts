/** Figures as people read them: durations with a fitting unit, ratios in percent, columns that line up. */

/** Headings of the outcome columns, in the order of `outcomeCells`. */
export const OUTCOME_HEADINGS = ['due', 'received', 'lost', 'refused', 'missed', 'void'] as const;

/** A path's or pair's outcomes as cells under `OUTCOME_HEADINGS`. */
export function outcomeCells(counts: Readonly<Record<(typeof OUTCOME_HEADINGS)[number], number>>): string[] {
  return OUTCOME_HEADINGS.map((name) => String(counts[name]));
}

/** A duration in ns with three digits and a unit; '-' for none. */
export function formatNs(ns: number | null | undefined): string {
  if (ns === null || ns === undefined) return '-';
  if (ns < 1_000) return `${ns} ns`;
  // What would be rounded to 1000 of a unit is 1.00 of the next.
  if (ns < 999_500) return `${digits(ns / 1_000)} µs`;
  if (ns < 999_500_000) return `${digits(ns / 1_000_000)} ms`;
  return `${digits(ns / 1_000_000_000)} s`;
}

/** A ratio in percent, cut off and not rounded, so that a lost probe never reads 0.00 % of a full decimal; '-' for none. */
export function formatRatio(ratio: number | null): string {
  if (ratio === null) return '-';
  if (ratio > 0 && ratio < 0.0001) return '<0.01 %';
  // The product of a double is off by a hair: 0.57 * 10 000 is 5699.999...
  return `${(Math.floor(ratio * 10_000 + 1e-9) / 100).toFixed(2)} %`;
}

/** An age in seconds as '7 s', '5 min' or '3 h'; 'never' for none. */
export function formatAge(seconds: number | null): string {
  if (seconds === null) return 'never';
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

/** Rows as text: the first row is the heading, the first column left-aligned, the others right-aligned. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

function digits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
