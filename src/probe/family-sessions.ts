/** A socket has one family, a plan both: which of its sessions a reflector answers, and where it counts them. */

import type { IpAddress } from '../base/ip-address.ts';
import type { ReflectorSession } from './plan.ts';

/** The sessions of the address's family, and the number of each among all: its place in the tally. */
export function sessionsOfFamily(
  all: readonly ReflectorSession[],
  address: IpAddress,
): { sessions: ReflectorSession[]; tallied: number[] } {
  const sessions: ReflectorSession[] = [];
  const tallied: number[] = [];
  for (const [number, session] of all.entries()) {
    if (session.address.length !== address.length) continue;
    sessions.push(session);
    tallied.push(number);
  }
  return { sessions, tallied };
}
