/** Whether memory grows over a day: ten million probes through engine, ring and summarizer against a fast clock. */

import { nextMessage, startOwn } from '../processes.ts';
import { atMost, info, type Row } from '../report.ts';
import { SETTINGS, TARGETS } from '../settings.ts';
import type { DayReport } from './day-process.ts';

export async function benchDay(): Promise<Row[]> {
  const { hours } = SETTINGS.day;
  const program = startOwn(null, './day/day-process.js');
  const startMs = performance.now();
  const { quarter, end, counts } = await nextMessage<DayReport>(program);
  const seconds = (performance.now() - startMs) / 1000;
  await program.ended;
  const { due, received, lost, missed, refused } = counts;
  const between = end.probes - quarter.probes;
  const grown = (before: number, after: number): string => `${before.toFixed(2)} then ${after.toFixed(2)}`;
  return [
    info(`Day: emulated hours and probes, in ${seconds.toFixed(0)} s`, `${hours}, ${end.probes}`),
    atMost('Day: probes not received or lost', due - received - lost, 0),
    info('Day: received, lost, missed, refused', `${received}, ${lost}, ${missed}, ${refused}`),
    info('Day: heap used after 1/4 and at the end, MB', grown(quarter.heapUsedMb, end.heapUsedMb)),
    info('Day: RSS after 1/4 and at the end, MB', grown(quarter.rssMb, end.rssMb)),
    atMost(
      `Day: heap growth over ${between} probes`,
      end.heapUsedMb - quarter.heapUsedMb,
      TARGETS.dayGrowthMbMax,
      'MB',
    ),
    atMost(`Day: RSS growth over ${between} probes`, end.rssMb - quarter.rssMb, TARGETS.dayGrowthMbMax, 'MB'),
  ];
}
