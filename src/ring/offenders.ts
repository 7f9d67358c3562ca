/** Who sent ICMP errors: each sender gets a number that fits a slot, and keeps it while the ring lives. */

import type { RingViews } from './layout.ts';

const BYTES = 16;

/** The number of a sender, 1 and up; a new one is remembered. 0 when there is no address, or no room for one more. */
export function offenderNumber(views: RingViews, address: Uint8Array, bytes: number): number {
  if (bytes === 0) return 0;
  const count = Atomics.load(views.offenderCount, 0);
  for (let number = 1; number < count; number += 1) if (isOffender(views, number, address, bytes)) return number;
  if (count === views.offenderBytes.length) return 0;
  for (let at = 0; at < bytes; at += 1) views.offenderAddresses[count * BYTES + at] = address[at] ?? 0;
  views.offenderBytes[count] = bytes;
  Atomics.store(views.offenderCount, 0, count + 1);
  return count;
}

/** The address with a number, or null for number 0. */
export function offenderAddress(views: RingViews, number: number): Uint8Array | null {
  if (number === 0) return null;
  return views.offenderAddresses.slice(number * BYTES, number * BYTES + (views.offenderBytes[number] ?? 0));
}

function isOffender(views: RingViews, number: number, address: Uint8Array, bytes: number): boolean {
  if (views.offenderBytes[number] !== bytes) return false;
  for (let at = 0; at < bytes; at += 1) {
    if (views.offenderAddresses[number * BYTES + at] !== address[at]) return false;
  }
  return true;
}
