/** Every count of a path that loses, copies, delays, reorders and forges by a script is exactly what the script did. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalEngine } from './local-engine.ts';
import { Namespaces, namespacesMissing } from './namespaces.ts';
import { type PeerPlan, probePlan, REFLECTOR_PORT, reflectorPlan } from './plans.ts';
import { Prober } from './product.ts';
import { startReflecting } from '../../src/probe/probing.ts';
import type { PathVerdict } from './verdict.ts';

const PROGRAM = fileURLToPath(new URL('./path-process.js', import.meta.url));
const LOCAL = '198.18.0.1';
const FAR = '198.18.0.2';
const STRANGER = '198.18.0.3';
const SEED = 0x5eed_2026;
const TMAX_MS = 1000;
/** Probes of each path that the script has something to say about. */
const SCRIPTED = 600;

const PEERS: PeerPlan[] = [
  { name: '0', address: FAR },
  { name: '1', address: FAR },
  { name: '2', address: FAR, kind: 'icmp' },
  { name: '3', address: FAR, kind: 'icmp' },
];

type Change = 'none' | 'short' | 'corrupt' | 'checksum' | 'session' | 'probe' | 't1' | 'source' | 'unreachable';

/** Replies to one probe: how long after it, and what is wrong with them. */
type Emission = { afterMs: number; change: Change };
type Logged = { path: number; sequence: number; change: Change };

const TRUE_REPLY: Emission = { afterMs: 0, change: 'none' };
/** Which counter hears of a forgery; both kinds of probe tell the same story but for the session. */
const COUNTER: Record<Exclude<Change, 'none' | 'unreachable'>, string> = {
  short: 'reply_short',
  corrupt: 'reply_corrupt',
  checksum: 'reply_corrupt',
  session: 'reply_unknown_session',
  probe: 'reply_unknown_probe',
  t1: 'reply_unknown_probe',
  source: 'reply_wrong_source',
};

const missing = namespacesMissing();

describe.skipIf(missing)(`a bad path (${missing ?? 'as root'})`, () => {
  let namespaces: Namespaces;
  let far: ChildProcess;

  beforeAll(() => {
    namespaces = new Namespaces('path', ['near', 'far']);
    namespaces.join('near', 'far', [`${LOCAL}/24`], [`${FAR}/24`, `${STRANGER}/24`]);
    namespaces.set('far', 'net/ipv4/icmp_echo_ignore_all', 1);
    far = spawn('ip', ['netns', 'exec', namespaces.name('far'), process.execPath, PROGRAM], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  });
  afterAll(() => {
    far.kill('SIGKILL');
    namespaces.close();
  });

  async function ask(request: object): Promise<{ pending: number; log: Logged[] }> {
    const answer = once(far, 'message');
    far.send(request);
    const [message] = (await answer) as [{ pending: number; log: Logged[] }];
    return message;
  }

  it(`loses, copies, delays, reorders and forges (seed ${SEED})`, async () => {
    const script = PEERS.map(({ kind }, path) => scriptOf(kind ?? 'stamp', SEED + path));
    await ask({ script, address: FAR, port: REFLECTOR_PORT, stranger: STRANGER });
    const plan = probePlan({ locals: [LOCAL], peers: PEERS, intervalMs: 5, tmaxMs: TMAX_MS, rememberS: 16 });
    const prober = await Prober.start(namespaces, 'near', plan);
    await prober.until((verdict) => PEERS.every(({ name }) => verdict.of(name).due > SCRIPTED));
    while ((await ask({})).pending > 0) await sleep(20);
    const verdict = await prober.settled();
    const { log } = await ask({});
    await prober.kill();

    for (const [path, { name }] of PEERS.entries()) {
      const found = verdict.of(name);
      const { received, late, duplicate, reordered } = truthOf(log, script, path, found.due);
      const lost = found.due - found.missed - received;
      expect(picked(found)).toEqual({
        received,
        lost,
        late,
        duplicate,
        reordered,
        refused: 0,
        void: 0,
        unreachable: 0,
      });
      expect(received).toBeGreaterThan(SCRIPTED / 2);
      expect(Math.min(lost, late, duplicate, reordered)).toBeGreaterThan(5);
    }
    expect(replyCounters(verdict.counters)).toEqual(forgedOf(log));
  });

  it('brings errors that quote 8 octets only: each probe of a dead time is lost as unreachable', async () => {
    const [from, to] = [200, 400];
    const dead: Emission[] = [{ afterMs: 1, change: 'unreachable' }];
    // The last replies before it come when the first errors have come: these seem to be about the probes still answered.
    const slow: Emission[] = [{ ...TRUE_REPLY, afterMs: 80 }];
    const alive = (sequence: number): Emission[] => (sequence < from - 10 ? [TRUE_REPLY] : slow);
    const script = PEERS.map(() => {
      return Array.from({ length: to }, (_, sequence) => (sequence < from ? alive(sequence) : dead));
    });
    await ask({ script, address: FAR, port: REFLECTOR_PORT, stranger: STRANGER });
    // One session a socket and peer, as in a mesh: ports and addresses are all that is quoted.
    const peers = PEERS.filter(({ name }) => name === '0' || name === '2');
    const plan = probePlan({ locals: [LOCAL], peers, intervalMs: 5, tmaxMs: TMAX_MS, rememberS: 16 });
    const prober = await Prober.start(namespaces, 'near', plan);
    await prober.until((verdict) => peers.every(({ name }) => verdict.of(name).due > to + 50));
    const verdict = await prober.settled();
    const { log } = await ask({});
    await prober.kill();
    for (const [path, { name }] of peers.entries()) {
      const errors = log.filter((entry) => entry.path === path && entry.change === 'unreachable').length;
      const { lost, unreachable, icmp, due, received, missed } = verdict.of(name);
      expect(errors).toBeGreaterThan(100);
      expect({ lost, unreachable, icmp }).toEqual({
        lost: errors,
        unreachable: errors,
        icmp: { [`3/1 ${FAR}`]: errors },
      });
      expect(received).toBe(due - missed - errors);
    }
    expect(verdict.counters.icmp_errors_unmatched).toBe(0);
  });

  it.each([
    ['STAMP, sequence numbers past 2^32', 'stamp', 2 ** 32 - 200],
    ['ICMP, sequence numbers past 2^16', 'icmp', 2 ** 16 - 200],
    ['ICMP, sequence numbers past 2^32', 'icmp', 2 ** 32 - 200],
  ] as const)('%s', async (_, kind, firstSequence) => {
    const address = '127.0.44.2';
    const plan = probePlan({ locals: ['127.0.44.1'], peers: [{ name: 'far', address, kind }], intervalMs: 2 });
    const reflecting = await startReflecting(reflectorPlan(plan, [address]), (error) => {
      throw error;
    });
    const engine = new LocalEngine(plan, { firstSequence });
    await engine.tickUntil(() => engine.due(firstSequence) > 400);
    const verdict = await engine.settle();
    engine.close();
    await reflecting.stop();
    const { due, missed, received, ...others } = verdict.of('far');
    expect(due).toBeGreaterThan(400);
    expect(received).toBe(due - missed);
    expect(others).toMatchObject({ lost: 0, refused: 0, void: 0, duplicate: 0, reordered: 0 });
    expect(verdict.counters.reply_unknown_probe).toBe(0);
    const sequences = verdict.samples('far').map(({ sequence }) => sequence);
    expect(sequences[0]).toBeGreaterThanOrEqual(firstSequence);
    expect(sequences.at(-1)).toBe((firstSequence + due - 1) % 2 ** 32);
  });
});

/** What happens to each probe: most get a true reply at once. */
function scriptOf(kind: 'stamp' | 'icmp', seed: number): Emission[][] {
  const random = mulberry32(seed);
  const forged: Change[] = [
    'short',
    'corrupt',
    'probe',
    't1',
    'source',
    ...([kind === 'stamp' ? 'session' : 'checksum'] as Change[]),
  ];
  return Array.from({ length: SCRIPTED }, () => {
    const kindOfFate = random();
    const forgery = { afterMs: 0, change: forged[Math.floor(random() * forged.length)] ?? 'short' };
    const copies = 1 + Math.floor(random() * 3);
    const delayMs = 8 + Math.floor(random() * 60);
    if (kindOfFate < 0.05) return [];
    if (kindOfFate < 0.1) return Array.from({ length: 1 + copies }, () => TRUE_REPLY);
    if (kindOfFate < 0.2) return [{ ...TRUE_REPLY, afterMs: delayMs }];
    if (kindOfFate < 0.25) return [TRUE_REPLY, { ...TRUE_REPLY, afterMs: delayMs }];
    if (kindOfFate < 0.29) return [{ ...TRUE_REPLY, afterMs: TMAX_MS + 200 + delayMs }];
    if (kindOfFate < 0.34) return [forgery];
    if (kindOfFate < 0.39) return [forgery, TRUE_REPLY];
    return [TRUE_REPLY];
  });
}

/** The counts that a plain reading of the log gives: RFC 4737 section 3.3 for order, RFC 5560 for copies. */
function truthOf(log: readonly Logged[], script: readonly Emission[][][], path: number, due: number) {
  const counts = { received: 0, late: 0, duplicate: 0, reordered: 0 };
  const seen = new Set<number>();
  let nextExpected = 0;
  for (const { sequence } of log.filter((entry) => entry.path === path && entry.change === 'none')) {
    if (sequence >= due) continue;
    if (seen.has(sequence)) {
      counts.duplicate += 1;
      continue;
    }
    seen.add(sequence);
    const first = script[path]?.[sequence]?.find(({ change }) => change === 'none') ?? TRUE_REPLY;
    const isLate = first.afterMs > TMAX_MS;
    const isReordered = sequence < nextExpected;
    if (!isReordered) nextExpected = sequence + 1;
    counts[isLate ? 'late' : 'received'] += 1;
    if (isReordered && !isLate) counts.reordered += 1;
  }
  return counts;
}

function forgedOf(log: readonly Logged[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { change } of log) {
    if (change === 'none' || change === 'unreachable') continue;
    counts[COUNTER[change]] = (counts[COUNTER[change]] ?? 0) + 1;
  }
  return counts;
}

function replyCounters(counters: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counters).filter(([name, count]) => name.startsWith('reply_') && count > 0));
}

function picked({ received, lost, late, duplicate, reordered, refused, void: voided, unreachable }: PathVerdict) {
  return { received, lost, late, duplicate, reordered, refused, void: voided, unreachable };
}

/** A small generator with a seed. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
