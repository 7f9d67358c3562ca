/** Carries paths from one ring into another, probes and counters, for a plan that goes on with some of its paths. */

import { PopprobeError } from '../base/errors.ts';
import { PATH_WORD, type RingViews, tableIndex } from './layout.ts';

/** Everything that a slot has; together `SLOT_BYTES` octets. */
export const SLOT_ARRAYS = [
  'dueNs',
  'sequence',
  't1Seconds',
  't1Nanoseconds',
  'txDeltaNs',
  't2Seconds',
  't2Nanoseconds',
  't3Seconds',
  't3Nanoseconds',
  't4Seconds',
  't4Nanoseconds',
  'reflectorSequence',
  'flags',
  'state',
  'errno',
  'duplicates',
  'senderTtl',
  'replyTtl',
  'icmpType',
  'icmpCode',
  'offender',
] as const satisfies readonly (keyof RingViews)[];

/** The words of a path that say where it lies in its ring, and stay. */
const PLACE: readonly number[] = [PATH_WORD.first, PATH_WORD.capacity];

/**
 * Makes the paths of a new ring continue those of an old one: probes that are out are still waited for, numbers go on.
 * To be called by the writer, while no reader seals.
 *
 * @param kept for each path of the new ring the number of the old path that it continues, or -1
 * @throws PopprobeError ring_mismatch when a path continues one of another capacity
 */
export function carryOver(from: RingViews, to: RingViews, kept: readonly number[]): void {
  to.horizonNs.set(from.horizonNs);
  // Slots name who sent ICMP errors by numbers of this list.
  to.offenderCount.set(from.offenderCount);
  to.offenderBytes.set(from.offenderBytes);
  to.offenderAddresses.set(from.offenderAddresses);
  for (const [path, old] of kept.entries()) if (old >= 0) carryPath(from, old, to, path);
}

function carryPath(from: RingViews, old: number, to: RingViews, path: number): void {
  const capacity = word(from, old, PATH_WORD.capacity);
  if (word(to, path, PATH_WORD.capacity) !== capacity) {
    throw new PopprobeError('ring_mismatch', {
      expected: `path ${path} with the ${capacity} slots of the path that it continues`,
      found: `${word(to, path, PATH_WORD.capacity)}`,
      remedy: 'report this as a bug of popprobe',
    });
  }
  const [source, target] = [word(from, old, PATH_WORD.first), word(to, path, PATH_WORD.first)];
  for (const name of SLOT_ARRAYS) to[name].set(from[name].subarray(source, source + capacity), target);
  for (const at of Object.values(PATH_WORD)) {
    if (!PLACE.includes(at)) Atomics.store(to.table, tableIndex(path, at), word(from, old, at));
  }
}

function word(views: RingViews, path: number, at: number): number {
  return Atomics.load(views.table, tableIndex(path, at));
}
