/** Pushers for tests: straight to their collectors, on a clock that each wait moves on at once. */

import type { Logger } from 'pino';
import { onTestFinished } from 'vitest';
import { Pusher, type PusherOptions } from '../../src/agent/push.ts';
import type { Spool } from '../../src/agent/spool.ts';
import type { LogLine } from './spool-fixture.ts';
import { silentLog } from './spool-fixture.ts';

export const NOW_MS = Date.UTC(2026, 0, 1, 12, 0, 0);
export const NO_TLS: PusherOptions['tls'] = { ca: null, client: null };

/** What a pusher without certificates and proxy needs to know of its collectors. */
export function to(...urls: [string, ...string[]]): Pick<PusherOptions, 'urls' | 'tls' | 'proxy'> {
  return { urls, tls: NO_TLS, proxy: null };
}

export interface PushRig {
  pusher: Pusher;
  /** The waits that the pusher asked for, ms; each is granted at once, and the clock moves on by it. */
  waits: number[];
  clock: { ms: number };
}

/** A pusher that is stopped when the test is over; not started yet. */
export function buildPusher(
  options: Pick<PusherOptions, 'urls' | 'tls' | 'proxy'> & { spool: Spool; log?: Logger },
  others: Partial<PusherOptions> = {},
): PushRig {
  const waits: number[] = [];
  const clock = { ms: 0 };
  const wait = async (ms: number): Promise<void> => {
    waits.push(ms);
    clock.ms += ms;
  };
  const pusher = new Pusher({
    log: silentLog,
    random: () => 0,
    nowMs: () => NOW_MS,
    monotonicMs: () => clock.ms,
    wait,
    ...options,
    ...others,
  });
  onTestFinished(() => pusher.stop());
  return { pusher, waits, clock };
}

/** The warnings and worse among the lines of a log, in words. */
export function complaints(lines: readonly LogLine[]): string[] {
  return lines.filter(({ level }) => level >= 40).map(({ msg, reason }) => `${msg}: ${String(reason)}`);
}
