/** The table of results: what was measured, what it is held against, and on which machine. */

import { cpus, release, totalmem } from 'node:os';

type Verdict = 'PASS' | 'MISS' | 'info' | 'SKIP';

export interface Row {
  what: string;
  measured: string;
  target: string;
  verdict: Verdict;
}

/** A figure that has to be at most `max`. */
export function atMost(what: string, value: number, max: number, unit = ''): Row {
  const suffix = unit === '' ? '' : ` ${unit}`;
  return {
    what,
    measured: `${shown(value)}${suffix}`,
    target: `<= ${max}${suffix}`,
    verdict: value <= max ? 'PASS' : 'MISS',
  };
}

/** A figure that has to be at least `min`. */
export function atLeast(what: string, value: number, min: number, unit = ''): Row {
  const suffix = unit === '' ? '' : ` ${unit}`;
  return {
    what,
    measured: `${shown(value)}${suffix}`,
    target: `>= ${min}${suffix}`,
    verdict: value >= min ? 'PASS' : 'MISS',
  };
}

/** A figure without a target, for the context of the others. */
export function info(what: string, measured: string): Row {
  return { what, measured, target: '', verdict: 'info' };
}

export function skipped(what: string, reason: string): Row {
  return { what, measured: `skipped: ${reason}`, target: '', verdict: 'SKIP' };
}

/** One line about the host, without which no figure means anything. */
export function machine(): string {
  const [first] = cpus();
  const memoryGb = Math.round(totalmem() / 2 ** 30);
  return `${first?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, ${memoryGb} GB, Linux ${release()}, Node ${process.version}`;
}

/** The rows as a Markdown table, aligned for a terminal. */
export function table(rows: readonly Row[]): string {
  const head = ['Measurement', 'Result', 'Target', ''];
  const cells = [head, ...rows.map((row) => [row.what, row.measured, row.target, row.verdict])];
  const widths = head.map((_, column) => Math.max(3, ...cells.map((line) => line[column]?.length ?? 0)));
  const lines = cells.map((line) => `| ${line.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

/** The value at a share of the sorted list, nearest rank; NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Three digits, and all of those before the point. */
export function shown(value: number): string {
  return Number.isInteger(value) || Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
