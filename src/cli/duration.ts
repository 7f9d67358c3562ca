/** Times on the command line. */

import { InvalidArgumentError } from 'commander';
import { MS_PER_S } from '../base/units.ts';

const UNITS_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** '30s', '5m' or '2h' as ms. Throws commander's InvalidArgumentError. */
export function parseDuration(text: string): number {
  const match = /^(\d+)(s|m|h)$/.exec(text);
  if (!match) throw new InvalidArgumentError('expected a number and s, m or h, such as 30s');
  return Number(match[1]) * (UNITS_S[match[2] ?? ''] ?? 0) * MS_PER_S;
}
