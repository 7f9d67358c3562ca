/** A calendar month on the command line. */

import { InvalidArgumentError } from 'commander';
import { MS_PER_S } from '../base/units.ts';

/** A month of UTC: the instants from `fromS` to just before `toS`, Unix time. */
export interface Month {
  /** `2026-01`. */
  name: string;
  fromS: number;
  toS: number;
}

/** Reads `YYYY-MM`, from 1970-01 on. Throws commander's InvalidArgumentError. */
export function parseMonth(text: string): Month {
  const [, year, month] = /^(19[7-9]\d|[2-9]\d{3})-(0[1-9]|1[0-2])$/.exec(text) ?? [];
  if (year === undefined || month === undefined) throw new InvalidArgumentError('expected a month such as 2026-01');
  const startS = (monthIndex: number): number => Date.UTC(Number(year), monthIndex) / MS_PER_S;
  return { name: text, fromS: startS(Number(month) - 1), toS: startS(Number(month)) };
}
