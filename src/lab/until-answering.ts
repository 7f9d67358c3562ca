/** Waits until a collector that was just started answers. */

import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { PopprobeError } from '../base/errors.ts';
import { MS_PER_S } from '../base/units.ts';

const START_MS = 20_000;
const ASK_AGAIN_MS = 50;

/** Resolves when the collector at `url` answers, or with the signal. Rejects with child_failed; `log` is where to look. */
export async function untilAnswering(url: string, log: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline && !signal.aborted) {
    if (await isAnswering(`${url}/healthz`)) return;
    await sleep(ASK_AGAIN_MS);
  }
  if (signal.aborted) return;
  throw new PopprobeError('child_failed', {
    expected: `the collector to answer on ${url} within ${START_MS / MS_PER_S} s`,
    found: 'no answer',
    remedy: `read ${log}`,
  });
}

async function isAnswering(url: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(url);
    await body.dump();
    return statusCode === 200;
  } catch {
    return false;
  }
}
