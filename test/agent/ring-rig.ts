/** A real ring that a test fills with probes of known outcome, as the probing thread would. */

import { NS_PER_MS, NS_PER_S, type UnixS } from '../../src/base/units.ts';
import { PathReader } from '../../src/agent/path-figures.ts';
import type { Window } from '../../src/agent/windows.ts';
import { engineCounters, reflectorCounters } from '../../src/probe/health.ts';
import type { PathPlan } from '../../src/probe/plan.ts';
import { type Probing, type Reflecting, sharedEstimate } from '../../src/probe/probing.ts';
import { ReflectedTally } from '../../src/probe/reflected-tally.ts';
import { createRing, SLOT_FLAG, STAMP_SOURCE } from '../../src/ring/layout.ts';
import { RingReader } from '../../src/ring/reader.ts';
import { RingWriter } from '../../src/ring/writer.ts';
import { HISTOGRAM_BUCKETS } from '../../src/stats/histogram.ts';
import { SecondsTally } from '../../src/stats/seconds.ts';
import type { SummaryPath } from '../../src/protocol/summary.ts';

const WINDOW_S = 10;
/** Of the smallest socket. */
export const RECEIVE_BUFFER_BYTES = 425_984;
export const TMAX_NS = 3 * NS_PER_S;
/** Far enough behind any probe of a test that none is open any more. */
export const LONG_AFTER_NS = 1e15;

/** Just before a full second, so that every difference of stamps has to carry. */
const T1 = { seconds: 1_700_000_000, nanoseconds: 999_999_999 };
/** The reflector's clock need not agree with ours. */
const T2 = { seconds: 1_700_000_037, nanoseconds: 999_999_500 };

/** A reply as it is filed. Times in ns. */
export interface Reply {
  /** T4 - T1 counted from the TX stamp: with the residence time in it. */
  rawNs: number;
  /** T3 - T2. */
  residenceNs?: number;
  /** Kernel TX stamp minus user-space T1. */
  txDeltaNs?: number;
  txSource?: number;
  rxSource?: number;
  duplicates?: number;
  flags?: number;
}

export function pathPlan(overrides: Partial<PathPlan> = {}): PathPlan {
  return {
    peer: 'sin1',
    floor: false,
    className: 'voice',
    kind: 'stamp',
    dscp: 46,
    sizeBytes: 44,
    flow: 0,
    intervalNs: 100 * NS_PER_MS,
    address: Uint8Array.of(198, 18, 0, 1),
    port: 862,
    echoPath: 0,
    ssid: 33,
    keys: [],
    tlvs: [],
    reflector: 'stateful',
    socket: 0,
    capacity: 4096,
    ...overrides,
  };
}

/** The window of `lengthS` seconds that begins at `startNs` on CLOCK_MONOTONIC. */
export function windowAt(startNs: number, lengthS = WINDOW_S): Window {
  const startUnixS = (1_700_000_000 + Math.floor(startNs / NS_PER_S)) as UnixS;
  return { startUnixS, lengthS, startNs, endNs: startNs + lengthS * NS_PER_S };
}

export class RingRig {
  readonly writer: RingWriter;
  readonly probing: Probing;
  readonly reflecting: Reflecting;

  constructor(paths: readonly PathPlan[], sessions = 0, windowS = WINDOW_S) {
    const views = createRing(paths.map((path) => path.capacity));
    this.writer = new RingWriter(views);
    this.probing = {
      ring: new RingReader(views),
      counters: engineCounters(),
      lateness: new Uint32Array(HISTOGRAM_BUCKETS),
      estimate: sharedEstimate(),
      sockets: paths.map(({ kind }, index) => ({
        kind,
        transport: kind === 'icmp' ? 'icmp_raw' : 'udp',
        errno: 0,
        receiveBufferBytes: RECEIVE_BUFFER_BYTES + index,
      })),
      change: null,
      stop: async () => undefined,
    };
    this.opened(LONG_AFTER_NS);
    const tally = new ReflectedTally(sessions, windowS);
    this.reflecting = { counters: reflectorCounters(), tally, replan: null, stop: async () => undefined };
  }

  /** The probing thread has opened every probe that fell due before this, and filed every reply; at first it is well ahead. */
  opened(untilNs: number): void {
    this.writer.advanceHorizon(untilNs);
  }

  /** A probe that went out and has not been answered; returns its slot. */
  sent(path: number, dueNs: number, flags = 0): number {
    const slot = this.writer.open(path, dueNs);
    this.writer.stampT1(slot, T1.seconds, T1.nanoseconds);
    this.writer.sent(slot);
    this.writer.flag(slot, flags);
    return slot;
  }

  received(path: number, dueNs: number, reply: Reply): number {
    const slot = this.sent(path, dueNs, reply.flags);
    this.#stamp(slot, reply);
    this.writer.received(slot);
    for (let copy = 0; copy < (reply.duplicates ?? 0); copy += 1) this.writer.duplicate(slot);
    return slot;
  }

  late(path: number, dueNs: number, flags = 0): number {
    const slot = this.sent(path, dueNs, flags);
    this.#stamp(slot, { rawNs: TMAX_NS + 1 });
    this.writer.late(slot);
    return slot;
  }

  unreachable(path: number, dueNs: number): number {
    return this.sent(path, dueNs, SLOT_FLAG.unreachable);
  }

  refused(path: number, dueNs: number, errno: number): void {
    this.writer.refused(this.writer.open(path, dueNs), errno);
  }

  missed(path: number, dueNs: number): void {
    this.writer.missed(this.writer.open(path, dueNs));
  }

  #stamp(slot: number, { rawNs, residenceNs = 0, txDeltaNs = 0, ...sources }: Reply): void {
    const { views } = this.writer;
    const { txSource = STAMP_SOURCE.kernel, rxSource = STAMP_SOURCE.kernel } = sources;
    this.writer.txStamp(slot, txDeltaNs, txSource);
    this.writer.flag(slot, rxSource << SLOT_FLAG.rxSourceShift);
    store(views.t2Seconds, views.t2Nanoseconds, slot, T2, 0);
    store(views.t3Seconds, views.t3Nanoseconds, slot, T2, residenceNs);
    store(views.t4Seconds, views.t4Nanoseconds, slot, T1, txDeltaNs + rawNs);
  }
}

/** One path on a ring, the reader of its windows of 10 s, and the seconds of its peer. */
export function pathRig(overrides: Partial<PathPlan> = {}) {
  const plan = pathPlan(overrides);
  const rig = new RingRig([plan]);
  const seconds = new SecondsTally(WINDOW_S);
  const reader = new PathReader(rig.probing.ring, [plan], WINDOW_S, TMAX_NS, rig.probing.estimate);
  const read = (window = windowAt(0), nowNs = LONG_AFTER_NS): SummaryPath =>
    reader.read(0, plan, window, nowNs, seconds);
  const isSettled = (nowNs: number, openedNs = nowNs): boolean => {
    rig.opened(openedNs);
    return reader.isSettled(0, windowAt(0), nowNs);
  };
  return { rig, seconds, read, isSettled };
}

/** Stores the instant `afterNs` after `from`. */
function store(seconds: Uint32Array, nanoseconds: Uint32Array, slot: number, from: typeof T1, afterNs: number): void {
  const ns = from.nanoseconds + afterNs;
  const carry = Math.floor(ns / NS_PER_S);
  seconds[slot] = from.seconds + carry;
  nanoseconds[slot] = ns - carry * NS_PER_S;
}
