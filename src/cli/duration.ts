/** Times on the command line. */

import { InvalidArgumentError } from 'commander';
import { MS_PER_S } from '../base/units.ts';

const UNITS_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** What a timer takes: one that is longer would end at once. */
const HOURS_MAX = 24 * 24;

/** '30s', '5m' or '2h' as ms. Throws commander's InvalidArgumentError. */
export function parseDuration(text: string): number {
  const match = /^(\d+)(s|m|h)$/.exec(text);
  if (!match) throw new InvalidArgumentError('expected a number and s, m or h, such as 30s');
  const seconds = Number(match[1]) * (UNITS_S[match[2] ?? ''] ?? 0);
  if (seconds > HOURS_MAX * 3600) throw new InvalidArgumentError(`expected at most ${HOURS_MAX}h`);
  return seconds * MS_PER_S;
}
