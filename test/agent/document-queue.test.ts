/** Documents in the making: one order for windows and events, through a disk that refuses, and nothing given up in silence. */

import { EventEmitter, once } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import { DocumentQueue } from '../../src/agent/document-queue.ts';
import type { SummaryBody } from '../../src/agent/seal.ts';
import { LIMITS } from '../../src/base/limits.ts';
import type { EventOf } from '../../src/protocol/record.ts';
import { EVENTS } from '../protocol/record-fixture.ts';
import { buildSummary, buildTrace } from '../protocol/summary-fixture.ts';
import { GapsStub, SealerStub } from './sealer-stub.ts';
import { type LogLine, recordingLog } from './spool-fixture.ts';
import { bodyOf } from './summary-body.ts';

const NOW_MS = 1_767_225_700_000;
const { pair, clock_step: step } = EVENTS;
const GAP: EventOf<'gap'> = { kind: 'gap', ranges: [[1, 4]], reason: 'spool_full' };

let sealer: SealerStub;
let gaps: GapsStub;
let queue: DocumentQueue;
let lines: LogLine[];

beforeEach(() => {
  sealer = new SealerStub();
  gaps = new GapsStub();
  const recording = recordingLog();
  ({ lines } = recording);
  queue = new DocumentQueue({ sealer, gaps, nowUnixMs: () => NOW_MS, log: recording.log });
});

/** The summary of the window from this second on. */
function windowAt(start_unix_s: number, length_s = 5): SummaryBody {
  return { ...bodyOf(buildSummary({ peers: [] })), window: { start: '', start_unix_s, length_s } };
}

/** Lets everything be sealed that was handed in. */
async function settled(): Promise<void> {
  await queue.flush();
}

function errors(): string[] {
  return lines.filter(({ level }) => level >= 50).map(({ msg }) => msg);
}

describe('an event', () => {
  it('is sealed at once, with its own time, and no window is waited for', async () => {
    queue.addEvent(pair, NOW_MS - 7);
    await settled();
    expect(sealer.records).toEqual([{ event: pair, atUnixMs: NOW_MS - 7 }]);
    expect(queue.status()).toEqual({
      summaries: { waiting: 0, discarded: 0 },
      records: { sealed: 1, waiting: 0, discarded: 0 },
    });
    expect(queue.latest).toBeNull();
  });

  it('has its place among the windows in the order of the calls', async () => {
    queue.addEvent(pair, NOW_MS);
    const first = queue.addSummary(windowAt(0));
    queue.addEvent(step, NOW_MS);
    await first;
    const second = queue.addSummary(windowAt(5));
    queue.addEvent(EVENTS.trace, NOW_MS);
    await second;
    await settled();
    // An event that comes while a window is on its way to the disk is behind it or before it, and always there.
    expect(sealer.chain.filter((word) => word.startsWith('window'))).toEqual(['window 0', 'window 5']);
    expect(sealer.chain.filter((word) => !word.startsWith('window'))).toEqual(['pair', 'clock_step', 'trace']);
    expect(sealer.chain.indexOf('pair')).toBeLessThan(sealer.chain.indexOf('window 0'));
    expect(sealer.chain.indexOf('trace')).toBeGreaterThan(sealer.chain.indexOf('window 0'));
  });

  it('in a burst is sealed once, and none is given up: every pair of the largest mesh turns at one instant', async () => {
    for (let peer = 0; peer < LIMITS.popsMax; peer += 1) {
      queue.addEvent({ ...pair, peer: `a-pop-with-a-long-name-${peer}` }, NOW_MS);
    }
    await settled();
    expect(new Set(sealer.records.map(({ event }) => (event as typeof pair).peer)).size).toBe(LIMITS.popsMax);
    expect(sealer.records).toHaveLength(LIMITS.popsMax);
    expect(queue.status().records).toEqual({ sealed: LIMITS.popsMax, waiting: 0, discarded: 0 });
  });
});

describe('a disk that refuses', () => {
  it('keeps events and windows in one order, and is asked again when it is looked at, not at every event', async () => {
    let tries = 0;
    sealer.before = async () => void (tries += 1);
    sealer.refusing = true;
    queue.addEvent(pair, NOW_MS);
    await settled();
    await queue.addSummary(windowAt(0));
    queue.addEvent(step, NOW_MS);
    queue.addEvent(EVENTS.trace, NOW_MS);
    await queue.addSummary(windowAt(5));
    expect(queue.isRefusing).toBe(true);
    expect(queue.status()).toEqual({
      summaries: { waiting: 2, discarded: 0 },
      records: { sealed: 0, waiting: 3, discarded: 0 },
    });
    const before = tries;
    for (let count = 0; count < 10; count += 1) queue.addEvent(pair, NOW_MS);
    await new Promise(setImmediate);
    expect(tries).toBe(before);
    expect(errors()).toEqual(['cannot seal documents now, they wait in memory']);
    sealer.refusing = false;
    await queue.flush();
    expect(sealer.chain.slice(0, 5)).toEqual(['pair', 'window 0', 'clock_step', 'trace', 'window 5']);
    expect(sealer.chain).toHaveLength(15);
    expect(queue.isRefusing).toBe(false);
  });

  it('costs the oldest events once they take too much memory, counted and logged, and no window', async () => {
    sealer.refusing = true;
    await queue.addSummary(windowAt(0));
    const event = { kind: 'trace', trace: buildTrace() } as const;
    const fit = Math.floor(LIMITS.recordCharactersWaitingMax / JSON.stringify(event).length);
    for (let index = 0; index < fit + 3; index += 1) queue.addEvent(event, NOW_MS + index);
    expect(queue.status()).toEqual({
      summaries: { waiting: 1, discarded: 0 },
      records: { sealed: 0, waiting: fit, discarded: 3 },
    });
    expect(errors().filter((msg) => msg === 'a record was given up')).toHaveLength(3);
    sealer.refusing = false;
    await queue.flush();
    expect(sealer.records.map(({ atUnixMs }) => atUnixMs - NOW_MS)).toEqual(
      Array.from({ length: fit }, (_, index) => index + 3),
    );
  });

  it('loses nothing of what comes while it is tried', async () => {
    sealer.refusing = true;
    queue.addEvent(pair, NOW_MS);
    await settled();
    const disk = new EventEmitter();
    const awake = once(disk, 'awake').then(() => undefined);
    sealer.before = () => awake;
    const tried = queue.flush();
    queue.addEvent(step, NOW_MS);
    const summary = queue.addSummary(windowAt(0));
    sealer.refusing = false;
    disk.emit('awake');
    await Promise.all([tried, summary]);
    await settled();
    expect(sealer.chain).toEqual(['pair', 'clock_step', 'window 0']);
  });
});

describe('windows that were given up', () => {
  it('are declared by one record when the disk takes documents again, before those that waited', async () => {
    sealer.refusing = true;
    for (let index = 0; index < LIMITS.summariesWaitingMax + 3; index += 1) {
      await queue.addSummary(windowAt(1000 + 5 * index));
    }
    expect(queue.status().summaries).toEqual({ waiting: LIMITS.summariesWaitingMax, discarded: 3 });
    sealer.refusing = false;
    await queue.flush();
    expect(sealer.chain.slice(0, 2)).toEqual(['unsealed', 'window 1015']);
    expect(sealer.records).toEqual([
      {
        event: { kind: 'unsealed', from_unix_s: 1000, to_unix_s: 1015, windows: 3, reason: 'disk' },
        atUnixMs: NOW_MS,
      },
    ]);
  });

  it('because they were too large are declared at once, by themselves', async () => {
    sealer.tooLarge = true;
    await queue.addSummary(windowAt(1000));
    expect(sealer.chain).toEqual(['unsealed']);
    await queue.addSummary(windowAt(1005));
    expect(sealer.chain).toEqual(['unsealed', 'window 1005']);
    expect(sealer.records[0]?.event).toEqual({
      kind: 'unsealed',
      from_unix_s: 1000,
      to_unix_s: 1005,
      windows: 1,
      reason: 'too_large',
    });
    expect(queue.status().summaries.discarded).toBe(1);
  });

  it('are declared once more than not when the disk refuses the record itself', async () => {
    sealer.refusing = true;
    for (let index = 0; index <= LIMITS.summariesWaitingMax; index += 1) await queue.addSummary(windowAt(5 * index));
    await queue.flush();
    sealer.refusing = false;
    sealer.before = async () => {
      sealer.refusing = sealer.chain.length === 1;
    };
    await queue.flush();
    expect(sealer.chain).toEqual(['unsealed']);
    sealer.before = async () => {
      sealer.refusing = false;
    };
    await queue.flush();
    expect(sealer.chain.filter((word) => word === 'unsealed')).toHaveLength(1);
    expect(sealer.chain).toHaveLength(1 + LIMITS.summariesWaitingMax);
  });
});

describe('gaps of the spool', () => {
  it('are declared right before the next window, and never again', async () => {
    gaps.pending.push(GAP, { ...GAP, reason: 'refused' });
    queue.addEvent(pair, NOW_MS);
    await settled();
    expect(sealer.chain).toEqual(['pair']);
    await queue.addSummary(windowAt(0));
    await queue.addSummary(windowAt(5));
    expect(sealer.chain).toEqual(['pair', 'gap', 'gap', 'window 0', 'window 5']);
    expect(sealer.records[1]).toEqual({ event: GAP, atUnixMs: NOW_MS });
    expect(gaps.pending).toEqual([]);
  });

  it('wait for a disk that refuses, and so does the window', async () => {
    gaps.pending.push(GAP);
    sealer.refusing = true;
    await queue.addSummary(windowAt(0));
    expect(gaps.pending).toEqual([GAP]);
    sealer.refusing = false;
    await queue.addSummary(windowAt(5));
    expect(sealer.chain).toEqual(['window 0', 'gap', 'window 5']);
  });

  it('that cannot be forgotten are declared again, which is said and does no harm', async () => {
    gaps.pending.push(GAP);
    gaps.forgetful = true;
    await queue.addSummary(windowAt(0));
    gaps.forgetful = false;
    await queue.addSummary(windowAt(5));
    expect(sealer.chain).toEqual(['gap', 'window 0', 'gap', 'window 5']);
    expect(lines.filter(({ level }) => level === 40)).toHaveLength(1);
  });
});

describe('the end', () => {
  it('seals what waits', async () => {
    sealer.refusing = true;
    queue.addEvent(pair, NOW_MS);
    await settled();
    await queue.addSummary(windowAt(0));
    sealer.refusing = false;
    await queue.finish();
    expect(sealer.chain).toEqual(['pair', 'window 0']);
  });

  it('says what the disk refuses to the last', async () => {
    sealer.refusing = true;
    queue.addEvent(pair, NOW_MS);
    await queue.addSummary(windowAt(0));
    await queue.finish();
    expect(queue.status()).toEqual({
      summaries: { waiting: 0, discarded: 1 },
      records: { sealed: 0, waiting: 0, discarded: 1 },
    });
    expect(errors().filter((msg) => msg.endsWith('was given up'))).toHaveLength(2);
  });
});
