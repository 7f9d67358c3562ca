/** A day of agents that seal, and try in vain to deliver, on a clock that goes on when the test says so. */

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pusher } from '../../src/agent/push.ts';
import { Sealer } from '../../src/agent/seal.ts';
import type { Spool } from '../../src/agent/spool.ts';
import { readSigningKey } from '../../src/config/signing-key.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { to } from '../agent/push-rig.ts';
import { open, silentLog } from '../agent/spool-fixture.ts';
import { bodyOf } from '../agent/summary-body.ts';
import { buildSummary } from '../protocol/summary-fixture.ts';

const DAY_S = 24 * 3600;
const WINDOW_S = 300;
export const WINDOWS_OF_A_DAY = DAY_S / WINDOW_S;
const SPOOL_BYTES = 64 * 1024 * 1024;

/** The waits of all agents, which end when the clock is put on. */
class EmulatedTime {
  #nowMs = 0;
  #waits: { untilMs: number; end: () => void }[] = [];

  now = (): number => this.#nowMs;

  wait = async (ms: number, signal: AbortSignal): Promise<void> => {
    const stopped = new AbortController();
    const isOver = new Promise<void>((end) => this.#waits.push({ untilMs: this.#nowMs + ms, end }));
    const isStopped = once(signal, 'abort', { signal: stopped.signal });
    isStopped.catch(() => undefined);
    await Promise.race([isOver, isStopped]);
    stopped.abort();
  };

  advance(ms: number): void {
    this.#nowMs += ms;
    const isOver = ({ untilMs }: { untilMs: number }): boolean => untilMs <= this.#nowMs;
    const over = this.#waits.filter(isOver);
    this.#waits = this.#waits.filter((wait) => !isOver(wait));
    for (const { end } of over) end();
  }
}

/** Where an agent keeps its documents, and its key. */
export interface Place {
  pop: string;
  spoolFolder: string;
  keyFile: string;
}

interface EmulatedAgent {
  pop: string;
  spool: Spool;
  sealer: Sealer;
  pusher: Pusher;
  /** Of the documents sealed, in their order. */
  digests: string[];
}

/**
 * Fills the spools with the day that has just ended, by the product's own Sealer, Spool and Pusher, which nothing uses any
 * more then. Returns the digests of each PoP's documents: they are numbered from 1.
 *
 * @param url where no collector answers
 */
export async function dayWithoutCollector(places: readonly Place[], url: string): Promise<Map<string, string[]>> {
  const startS = Math.floor(Date.now() / 1000 / WINDOW_S) * WINDOW_S - DAY_S;
  const time = new EmulatedTime();
  const agents = await Promise.all(places.map((place) => buildAgent(place, url, startS, time)));
  for (const { pusher } of agents) pusher.start();
  try {
    for (let index = 0; index < WINDOWS_OF_A_DAY; index += 1) await oneWindow(agents, startS + index * WINDOW_S, time);
  } finally {
    for (const { pusher } of agents) await pusher.stop();
  }
  return new Map(agents.map(({ pop, digests }) => [pop, digests]));
}

async function buildAgent(
  { pop, spoolFolder, keyFile }: Place,
  url: string,
  startS: number,
  time: EmulatedTime,
): Promise<EmulatedAgent> {
  const spool = await open(spoolFolder, SPOOL_BYTES);
  const clocks = { nowMs: () => startS * 1000 + time.now(), monotonicMs: time.now, wait: time.wait };
  const pusher = new Pusher({ ...to(url), spool, log: silentLog, random: Math.random, ...clocks });
  const { boot_id, software } = buildSummary();
  const sealer = new Sealer(spool, await readSigningKey(keyFile), () => 1, { pop, boot_id, software });
  return { pop, spool, sealer, pusher, digests: [] };
}

/** A window of all agents: sealed, and tried once more in vain. */
async function oneWindow(agents: readonly EmulatedAgent[], startS: number, time: EmulatedTime): Promise<void> {
  const before = agents.map(({ pusher }) => pusher.status().failuresInARow);
  await Promise.all(agents.map((agent) => seal(agent, startS)));
  time.advance(WINDOW_S * 1000);
  const isTried = ({ pusher }: EmulatedAgent, at: number): boolean =>
    pusher.status().failuresInARow > (before[at] ?? 0);
  while (!agents.every(isTried)) await sleep(1);
}

async function seal({ pop, sealer, digests }: EmulatedAgent, start_unix_s: number): Promise<void> {
  const window = { start: new Date(start_unix_s * 1000).toISOString(), start_unix_s, length_s: WINDOW_S };
  const { octets } = await sealer.seal(bodyOf(buildSummary({ pop, peers: [], window })));
  digests.push(digestOf(octets));
}
