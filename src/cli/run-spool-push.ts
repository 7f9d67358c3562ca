/** Delivers what waits in the spool of an agent that does not run. */

import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { pusherFor } from '../agent/pusher-for.ts';
import { claimSpool } from '../agent/spool-claim.ts';
import { openSpool, type Spool } from '../agent/spool.ts';
import type { Pusher } from '../agent/push.ts';
import { loadAgentConfig } from '../config/agent-config.ts';
import { Progress, type Streams } from './progress.ts';
import { requireConfig } from './require-config.ts';
import { untilToldToStop } from './until-told.ts';

const LOOK_EVERY_MS = 200;

/**
 * Whether everything that waited was accepted. Ends the process when the agent file is wrong.
 *
 * @throws PopprobeError `spool_in_use` while the agent runs, `spool_unusable` when the disk refuses
 */
export async function runSpoolPush(file: string, { out, err }: Streams): Promise<boolean> {
  const config = requireConfig(loadAgentConfig(file));
  // What the pusher warns of is in its status, which is shown.
  const log = pino({ level: 'error' }, pino.destination({ dest: 2, sync: true }));
  const spool = await openSpool(config.spool, log, (folder) => claimSpool(folder, log));
  const pusher = pusherFor(config.collector, spool, log);
  const total = spool.waiting.count;
  const stop = new AbortController();
  void untilToldToStop().then(() => stop.abort());
  pusher.start();
  const progress = await untilDelivered(spool, pusher, err, stop.signal);
  await pusher.stop();
  const left = spool.waiting.count;
  const refused = pusher.status().quarantined;
  progress.end();
  out.write(`delivered: ${total - left - refused} of ${total}; waiting: ${left}, refused: ${refused}\n`);
  return left === 0 && refused === 0;
}

async function untilDelivered(
  spool: Spool,
  pusher: Pusher,
  err: NodeJS.WriteStream,
  stop: AbortSignal,
): Promise<Progress> {
  const progress = new Progress(err, Date.now, 'delivering');
  const total = spool.waiting.count;
  while (spool.waiting.count > 0 && !stop.aborted) {
    await sleep(LOOK_EVERY_MS);
    const done = total - spool.waiting.count;
    const { failuresInARow, lastError } = pusher.status();
    progress.update(done, done / total, failuresInARow === 0 ? null : lastError);
  }
  return progress;
}
