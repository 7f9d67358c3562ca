/** Sends documents of the quarantine again, and deletes documents, some at a time. */

import { LIMITS } from '../base/limits.ts';
import { Progress, type Streams } from './progress.ts';
import { spoolKeeper } from './spool-keeper.ts';
import { spoolPlace } from './spool-place.ts';
import type { ChangeOptions } from './spool.ts';
import { spoolNames } from './spooled-files.ts';

/** Why a document is not in the queue again. */
const NOT_RETRIED = {
  not_there: 'not in the quarantine',
  damaged: 'not whole: it stays in the quarantine',
} as const;

/** Whether all of them wait now. @throws PopprobeError, see `spoolKeeper` */
export async function runSpoolRetry(
  named: readonly number[],
  options: ChangeOptions,
  { out, err }: Streams,
): Promise<boolean> {
  const place = spoolPlace(options);
  const sequences = options.all === true ? (await spoolNames(place.directory)).quarantined : named;
  const keeper = await spoolKeeper(place);
  const failures: string[] = [];
  const progress = new Progress(err, Date.now, 'putting back');
  await inSteps(sequences, progress, async (step) => {
    for (const { sequence, outcome } of await keeper.retry(step)) {
      if (outcome === 'retried' || outcome === 'waiting') continue;
      failures.push(`${sequence}: ${NOT_RETRIED[outcome]}`);
    }
  });
  progress.end();
  const waiting = `waiting to be sent: ${sequences.length - failures.length} of ${sequences.length}`;
  out.write(`${[...failures, waiting].join('\n')}\n`);
  return failures.length === 0;
}

/** Whether all of them were there and are gone now. @throws PopprobeError, see `spoolKeeper` */
export async function runSpoolDrop(
  named: readonly number[],
  options: ChangeOptions,
  { out, err }: Streams,
): Promise<boolean> {
  const place = spoolPlace(options);
  const sequences = await toBeDropped(place.directory, named, options);
  if (options.yes !== true) {
    out.write(`to be deleted for good, and declared as dropped: ${sequences.length}; add --yes to do it\n`);
    return false;
  }
  const keeper = await spoolKeeper(place);
  const dropped = new Set<number>();
  const progress = new Progress(err, Date.now, 'deleting');
  await inSteps(sequences, progress, async (step) => {
    for (const sequence of await keeper.drop(step)) dropped.add(sequence);
  });
  const missing = sequences.filter((sequence) => !dropped.has(sequence));
  progress.end();
  const lines = [
    ...missing.map((sequence) => `${sequence}: not there`),
    `deleted: ${dropped.size} of ${sequences.length}`,
  ];
  out.write(`${lines.join('\n')}\n`);
  return dropped.size === sequences.length;
}

async function toBeDropped(
  directory: string,
  named: readonly number[],
  { all, quarantined }: ChangeOptions,
): Promise<readonly number[]> {
  if (all !== true && quarantined !== true) return [...new Set(named)];
  const names = await spoolNames(directory);
  return all === true ? [...new Set([...names.waiting, ...names.quarantined])] : names.quarantined;
}

/** May be interrupted between any two steps, and repeated: what is done is done. */
async function inSteps(
  sequences: readonly number[],
  progress: Progress,
  step: (sequences: readonly number[]) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < sequences.length; at += LIMITS.spoolQuestionDocuments) {
    const next = sequences.slice(at, at + LIMITS.spoolQuestionDocuments);
    await step(next);
    progress.update(at + next.length, (at + next.length) / sequences.length);
  }
}
