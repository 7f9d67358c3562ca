/** Whether memory grows over a day: ten million probes through engine, ring and summarizer against a fast clock. */

import { nextMessage, startOwn } from '../processes.ts';
import { atMost, info, quantile, type Row } from '../report.ts';
import { SETTINGS, TARGETS } from '../settings.ts';
import type { DayReport, Reading } from './day-process.ts';

/** Quarters of the day that are compared: when all is warm, and at the end. */
const QUARTERS = { second: 1, last: 3 } as const;

export async function benchDay(): Promise<Row[]> {
  const { hours } = SETTINGS.day;
  const program = startOwn(null, './day/day-process.js');
  const startMs = performance.now();
  const { readings, counts } = await nextMessage<DayReport>(program);
  const seconds = (performance.now() - startMs) / 1000;
  await program.ended;
  const { due, received, lost, missed, refused } = counts;
  return [
    info(`Day: emulated hours and probes, in ${seconds.toFixed(0)} s`, `${hours}, ${readings.at(-1)?.probes ?? 0}`),
    atMost('Day: probes not received or lost', due - received - lost, 0),
    info('Day: received, lost, missed, refused', `${received}, ${lost}, ${missed}, ${refused}`),
    ...growth('heap used', readings, (reading) => reading.heapUsedMb),
    ...growth('RSS', readings, (reading) => reading.rssMb),
  ];
}

/** The median of a quarter's hours: one reading of RSS has what V8 has not given back yet, up to 3 MB more or less. */
function growth(name: string, readings: readonly Reading[], figure: (reading: Reading) => number): Row[] {
  const hours = readings.length / 4;
  const of = (quarter: number): number[] => readings.slice(quarter * hours, (quarter + 1) * hours).map(figure);
  const [before, after] = [quantile(of(QUARTERS.second), 0.5), quantile(of(QUARTERS.last), 0.5)];
  const all = readings.map(figure);
  return [
    info(`Day: ${name} in the hours 7 to 12 and 19 to 24, median, MB`, `${before.toFixed(2)} then ${after.toFixed(2)}`),
    info(
      `Day: ${name}, lowest and highest of all hours, MB`,
      `${quantile(all, 0).toFixed(2)}, ${quantile(all, 1).toFixed(2)}`,
    ),
    atMost(`Day: ${name}, growth of the median`, after - before, TARGETS.dayGrowthMbMax, 'MB'),
  ];
}
