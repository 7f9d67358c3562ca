/** A pusher as the configuration describes it. */

import type { Logger } from 'pino';
import type { CollectorTarget } from '../config/agent-config.ts';
import { readTlsMaterial } from '../config/tls-files.ts';
import { Pusher } from './push.ts';
import type { Spool } from './spool.ts';

/** Not started yet. @throws PopprobeError for a certificate or key that cannot be used, see `readTlsMaterial` */
export function pusherFor(target: CollectorTarget, spool: Spool, log: Logger): Pusher {
  const { urls, proxy } = target;
  const tls = readTlsMaterial(target, Date.now());
  return new Pusher({ urls, tls, proxy, spool, log, random: Math.random, nowMs: Date.now });
}
