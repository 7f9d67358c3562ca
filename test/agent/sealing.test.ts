/** Sealing: each window once, in order, as early as its probes allow, and through a disk that refuses. */

import { EventEmitter, once } from 'node:events';
import { gunzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { DocumentQueue } from '../../src/agent/document-queue.ts';
import { Sealing } from '../../src/agent/sealing.ts';
import { Summarizer } from '../../src/agent/summarize.ts';
import { sealDelayNs, Windows } from '../../src/agent/windows.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { NS_PER_MS, NS_PER_S } from '../../src/base/units.ts';
import { UNKNOWN_CLOCK } from '../../src/linux/clock-state.ts';
import { FakeClock } from '../probe/fake-clock.ts';
import { pathPlan, RingRig, TMAX_NS } from './ring-rig.ts';
import { GapsStub, SealerStub } from './sealer-stub.ts';
import { type LogLine, recordingLog } from './spool-fixture.ts';
import { peersOf } from './summary-body.ts';

const LENGTH_S = 5;
const LENGTH_NS = LENGTH_S * NS_PER_S;
const TICK_NS = 5 * NS_PER_MS;
const REPLY = { rawNs: NS_PER_MS };
const PATH = pathPlan({ capacity: 1024 });

const FIRST_S = new FakeClock().wallSeconds;

let clock: FakeClock;
let rig: RingRig;
let sealer: SealerStub;
let documents: DocumentQueue;
let sealing: Sealing;
let lines: LogLine[];
/** The first window's begin and end. The fake clock starts on a boundary. */
let startNs: number;
let endNs: number;

beforeEach(() => {
  clock = new FakeClock();
  rig = new RingRig([PATH]);
  sealer = new SealerStub();
  startNs = clock.monoNs;
  endNs = startNs + LENGTH_NS;
  const plan = {
    session: 1,
    tmaxNs: TMAX_NS,
    tickNs: TICK_NS,
    schedule: 'periodic' as const,
    windowS: LENGTH_S,
    sockets: [],
    paths: [PATH],
  };
  const identity = { pop: 'hkg1', bootId: '', configDigest: '', software: '', transportReason: null };
  const recording = recordingLog();
  ({ lines } = recording);
  documents = new DocumentQueue({ sealer, gaps: new GapsStub(), nowUnixMs: () => 0, log: recording.log });
  sealing = new Sealing({
    clock,
    windows: new Windows(LENGTH_S, clock),
    summarizer: new Summarizer({
      identity,
      plan,
      sessions: [],
      probing: rig.probing,
      reflecting: rig.reflecting,
      clockState: () => UNKNOWN_CLOCK,
    }),
    documents,
    tmaxNs: TMAX_NS,
    tickNs: TICK_NS,
  });
});

/** Starts of the sealed windows, in windows since the first. */
function starts(): number[] {
  return sealer.sealed.map((body) => (body.window.start_unix_s - FIRST_S) / LENGTH_S);
}

/** The agent looks at this moment of CLOCK_MONOTONIC. */
function turnAt(monoNs: number, openedNs = monoNs): Promise<void> {
  clock.read();
  clock.advance(monoNs - clock.monoNs);
  rig.opened(openedNs);
  clock.read();
  rig.reflecting.tally.advanceHorizon(clock.wallSeconds);
  return sealing.turn();
}

/** Lets this many windows end, each settled, and looks after each. */
async function runWindows(count: number): Promise<void> {
  for (let window = 0; window < count; window += 1) {
    clock.read();
    rig.received(0, clock.monoNs + LENGTH_NS - 1, REPLY);
    await turnAt(clock.monoNs + LENGTH_NS);
  }
}

describe('a window', () => {
  it('is sealed at its end when every probe has its outcome', async () => {
    rig.received(0, startNs, REPLY);
    rig.refused(0, endNs - 1, 1);
    await turnAt(endNs - 1);
    expect(sealer.sealed).toEqual([]);
    await turnAt(endNs);
    expect(sealer.sealed).toHaveLength(1);
    expect(peersOf(sealer.sealed[0])[0]?.paths[0]?.counts).toMatchObject({ due: 2, received: 1, refused: 1 });
    expect(gunzipSync(documents.latest ?? '')).toEqual(sealer.octets.at(-1));
  });

  it('waits for the reflector to have counted all that arrived in it, and no longer than for a probe', async () => {
    await turnAt(endNs - 1);
    // The reflecting thread has not looked since.
    clock.advance(1);
    rig.opened(endNs);
    await sealing.turn();
    expect(sealer.sealed).toEqual([]);
    clock.advance(sealDelayNs(TMAX_NS, TICK_NS));
    await sealing.turn();
    expect(sealer.sealed).toHaveLength(1);
  });

  it('waits for an open probe, and no longer than for its reply', async () => {
    const slot = rig.sent(0, endNs - NS_PER_MS);
    await turnAt(endNs);
    await turnAt(endNs + NS_PER_S);
    expect(sealer.sealed).toEqual([]);
    rig.writer.received(slot);
    await turnAt(endNs + 2 * NS_PER_S);
    expect(peersOf(sealer.sealed[0])[0]?.paths[0]?.counts).toMatchObject({ due: 1, received: 1 });
  });

  it('waits for an open probe until Tmax is over: then it is lost', async () => {
    rig.sent(0, endNs - NS_PER_MS);
    await turnAt(endNs - NS_PER_MS + TMAX_NS);
    expect(sealer.sealed).toEqual([]);
    await turnAt(endNs - NS_PER_MS + TMAX_NS + 1);
    expect(peersOf(sealer.sealed[0])[0]?.paths[0]?.counts).toMatchObject({ due: 1, lost: 1, void: 0 });
  });

  it('does not wait for a probing thread that is stuck', async () => {
    rig.received(0, startNs, REPLY);
    const latestNs = endNs + sealDelayNs(TMAX_NS, TICK_NS);
    await turnAt(latestNs - 1, startNs);
    expect(sealer.sealed).toEqual([]);
    await turnAt(latestNs, startNs);
    expect(sealer.sealed).toHaveLength(1);
  });

  it('is sealed after those before it, also when several have ended', async () => {
    await turnAt(startNs + 3 * LENGTH_NS + 1);
    expect(starts()).toEqual([0, 1, 2]);
  });
});

describe('a disk that refuses', () => {
  it('makes summaries wait in memory, and gets them in order when it takes them again', async () => {
    sealer.refusing = true;
    await runWindows(3);
    await sealing.turn();
    expect(documents.status().summaries).toEqual({ waiting: 3, discarded: 0 });
    expect(documents.latest).toBeNull();
    expect(lines.filter(({ level }) => level === 50)).toMatchObject([{ err: { code: 'spool_unusable' } }]);
    sealer.refusing = false;
    await sealing.turn();
    expect(starts()).toEqual([0, 1, 2]);
    expect(peersOf(sealer.sealed[0])[0]?.paths[0]?.counts.received).toBe(1);
    expect(documents.status().summaries).toEqual({ waiting: 0, discarded: 0 });
  });

  it('costs the oldest summaries once too many wait, counted and logged', async () => {
    sealer.refusing = true;
    await runWindows(LIMITS.summariesWaitingMax + 2);
    expect(documents.status().summaries).toEqual({ waiting: LIMITS.summariesWaitingMax, discarded: 2 });
    expect(lines.filter((line) => line['discarded'] !== undefined)).toHaveLength(2);
    sealer.refusing = false;
    await sealing.turn();
    expect(starts()).toEqual(Array.from({ length: LIMITS.summariesWaitingMax }, (_, index) => index + 2));
  });

  it('in the middle of several keeps those that it has not taken', async () => {
    sealer.refusing = true;
    await runWindows(3);
    sealer.refusing = false;
    sealer.before = async () => {
      sealer.refusing = sealer.sealed.length === 1;
    };
    await sealing.turn();
    expect([starts(), documents.status().summaries.waiting]).toEqual([[0], 2]);
    sealer.before = async () => {
      sealer.refusing = false;
    };
    await sealing.turn();
    expect(starts()).toEqual([0, 1, 2]);
  });
});

describe('a summary over the limit', () => {
  it('is given up, counted and logged, and holds up none behind it', async () => {
    sealer.refusing = true;
    await runWindows(2);
    sealer.refusing = false;
    sealer.tooLarge = true;
    await sealing.turn();
    expect(starts()).toEqual([1]);
    expect(documents.status().summaries).toEqual({ waiting: 0, discarded: 1 });
    expect(lines.filter(({ msg }) => msg === 'a summary was given up')).toMatchObject([{ level: 50, discarded: 1 }]);
  });
});

describe('the end', () => {
  it('with a disk that still refuses says how many windows are lost', async () => {
    sealer.refusing = true;
    await runWindows(1);
    await sealing.finish();
    expect(documents.status().summaries).toEqual({ waiting: 0, discarded: 2 });
    expect(lines.filter(({ msg }) => msg === 'a summary was given up')).toHaveLength(2);
  });

  it('seals the running window as far as it got, probes still out as void', async () => {
    rig.received(0, startNs, REPLY);
    rig.sent(0, startNs + NS_PER_S);
    clock.advance(2 * NS_PER_S);
    await sealing.finish();
    expect(starts()).toEqual([0]);
    expect(sealer.sealed[0]?.window.length_s).toBe(LENGTH_S);
    expect(peersOf(sealer.sealed[0])[0]).toMatchObject({
      seconds: 'guuuu',
      paths: [{ counts: { due: 2, received: 1, lost: 0, void: 1 } }],
    });
  });

  it('waits for no open probe of a window before it', async () => {
    rig.sent(0, endNs - 1);
    rig.sent(0, endNs);
    clock.advance(LENGTH_NS + NS_PER_S);
    await sealing.finish();
    expect(starts()).toEqual([0, 1]);
    for (const body of sealer.sealed) expect(peersOf(body)[0]?.paths[0]?.counts).toMatchObject({ due: 1, void: 1 });
  });

  it('during a slow turn seals nothing twice and leaves nothing out', async () => {
    sealer.refusing = true;
    await runWindows(2);
    sealer.refusing = false;
    const disk = new EventEmitter();
    const awake = once(disk, 'awake').then(() => undefined);
    sealer.before = () => awake;
    clock.advance(NS_PER_S);
    const ends = [sealing.turn(), sealing.finish()];
    await new Promise(setImmediate);
    expect(sealer.sealed).toEqual([]);
    disk.emit('awake');
    await Promise.all(ends);
    expect(starts()).toEqual([0, 1, 2]);
    expect(documents.status().summaries).toEqual({ waiting: 0, discarded: 0 });
  });
});
