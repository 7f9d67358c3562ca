/** The tick of the probing thread: sends what is due, reads what has arrived, and admits what it missed. */

import type { Clock } from '../base/clock.ts';
import { LIMITS } from '../base/limits.ts';
import { carryOver } from '../ring/carry-over.ts';
import type { Counters } from '../ring/counters.ts';
import { STAMP_SOURCE } from '../ring/layout.ts';
import type { RingWriter } from '../ring/writer.ts';
import { bucketOf } from '../stats/histogram.ts';
import { differenceNs } from '../wire/ntp-time.ts';
import { Arrivals } from './arrivals.ts';
import { Blindness } from './blindness.ts';
import { EchoSender } from './echo-sender.ts';
import type { EngineCounter } from './health.ts';
import { PathTable } from './path-table.ts';
import type { ProbePlan } from './plan.ts';
import { decideDue, nextWakeNs, Schedule } from './schedule.ts';
import { SessionSender } from './session-sender.ts';
import { StepWatch } from './step-watch.ts';
import type { Datagram, IcmpError, Transport, TransportEvents } from './transport.ts';

export interface EngineParts {
  plan: ProbePlan;
  ring: RingWriter;
  clock: Clock;
  /** One per socket of the plan, in its order. */
  transports: readonly Transport[];
  counters: Counters<EngineCounter>;
  /** How late each wake-up was: counts by the buckets of `stats/histogram.ts`. */
  lateness: Uint32Array;
  /** One word, written by the main thread: what this host says of its clock, an Error Estimate. */
  estimate: Int32Array;
  /** Uniform in [0, 1): the random phase or intervals of each path. */
  random: () => number;
  /** The engine whose place this one takes: same clock, counters and ICMP session. */
  before?: Predecessor;
}

export interface Predecessor {
  engine: Engine;
  /** For each path of the new plan the number that it had in the old one, or -1. */
  kept: readonly number[];
}

export class Engine implements TransportEvents {
  readonly #plan: ProbePlan;
  readonly #table: PathTable;
  readonly #ring: RingWriter;
  readonly #clock: Clock;
  readonly #transports: readonly Transport[];
  readonly #counters: Counters<EngineCounter>;
  readonly #lateness: Uint32Array;
  readonly #ticksPlace: number;
  readonly #latePlace: number;
  readonly #steps: StepWatch;
  readonly #arrivals: Arrivals;
  readonly #echo: EchoSender;
  readonly #stamp: SessionSender;
  readonly #schedule: Schedule;
  readonly #blindness: Blindness;
  /** Per socket: messages that are written, and those just sent whose stamps have been read. */
  readonly #filled: Int32Array;
  readonly #sent: Int32Array;
  readonly #cookies: readonly Int32Array[];
  /** Per socket, whether it is for ICMP. */
  readonly #isIcmp: readonly boolean[];
  readonly #startNs: number;
  #wakeNs: number;
  /** When the running tick began, ns on CLOCK_MONOTONIC: no T1 in a packet of this tick is older. */
  #tickNs = 0;
  #socket = 0;

  constructor(parts: EngineParts) {
    const { plan, clock, ring, counters } = parts;
    this.#plan = plan;
    this.#table = new PathTable(plan.paths);
    this.#ring = ring;
    this.#clock = clock;
    this.#transports = parts.transports;
    this.#counters = counters;
    this.#lateness = parts.lateness;
    this.#ticksPlace = counters.place('ticks');
    this.#latePlace = counters.place('tick_late_max_ns');
    // Probes that are out know a clock step by when it was.
    this.#steps = parts.before ? parts.before.engine.#steps : new StepWatch();
    this.#arrivals = new Arrivals(ring, plan.tmaxNs, clock, this.#steps, counters, parts.estimate);
    const identifiers = plan.sockets.map((socket) => socket.port);
    this.#echo = new EchoSender(plan.paths, this.#table, plan.session, identifiers, this.#arrivals, counters);
    this.#stamp = new SessionSender(plan.paths, this.#table, this.#arrivals, counters, parts.estimate);
    this.#filled = new Int32Array(parts.transports.length);
    this.#sent = new Int32Array(parts.transports.length);
    this.#isIcmp = plan.sockets.map((socket) => socket.kind === 'icmp');
    this.#cookies = parts.transports.map((transport) => new Int32Array(transport.outgoing.count));
    clock.read();
    this.#startNs = clock.monoNs;
    this.#wakeNs = clock.monoNs;
    const intervalsNs = plan.paths.map((path) => path.intervalNs);
    this.#schedule = new Schedule(plan.schedule, intervalsNs, plan.windowS, clock, parts.random);
    this.#blindness = new Blindness(plan, ring, clock, parts.transports, counters);
    if (parts.before) this.#continue(parts.before);
  }

  /** Which paths stop, and when, ns on CLOCK_MONOTONIC; all others go on. See `Schedule.stopAt`. */
  stopAt(paths: readonly number[], stopNs: number): void {
    this.#readClock();
    this.#schedule.stopAt(new Set(paths), stopNs, this.#clock.monoNs);
  }

  /** Reads all that has arrived: whoever takes this engine's place begins with what comes later. */
  finish(): void {
    this.#receive();
    this.#blindness.lookNow();
  }

  #continue({ engine, kept }: Predecessor): void {
    carryOver(engine.#ring.views, this.#ring.views, kept);
    this.#arrivals.continue(engine.#arrivals, kept);
    this.#stamp.continue(engine.#stamp, kept);
    for (const [path, old] of kept.entries()) if (old >= 0) this.#schedule.continue(path, engine.#schedule, old);
    this.#wakeNs = engine.#wakeNs;
  }

  /** One tick. Returns when the next one is due, ns on CLOCK_MONOTONIC. */
  tick(): number {
    this.#readClock();
    this.#accountForWake();
    this.#tickNs = this.#clock.monoNs;
    const nextDueNs = this.#sendDue();
    this.#receive();
    // Held up within the tick, the next wake-up is not late for it.
    this.#countStall(this.#clock.monoNs - this.#tickNs);
    // Silence is taken for a loss up to the horizon: it waits until this host has been asked what it may have lost itself.
    if (this.#blindness.look()) this.#ring.advanceHorizon(this.#tickNs);
    this.#wakeNs = nextWakeNs(this.#startNs, this.#plan.tickNs, nextDueNs, this.#clock.monoNs, LIMITS.sleepNsMax);
    return this.#wakeNs;
  }

  onSent(cookie: number): void {
    this.#ring.sent(cookie);
  }

  onRefused(cookie: number, errno: number): void {
    this.#ring.refused(cookie, errno);
    this.#stamp.unsent(this.#ring.pathOf(cookie));
  }

  onTxStamp(cookie: number, seconds: number, nanoseconds: number): void {
    const { t1Seconds, t1Nanoseconds } = this.#ring.views;
    const deltaNs = differenceNs(seconds, nanoseconds, t1Seconds[cookie] ?? 0, t1Nanoseconds[cookie] ?? 0);
    // A stamp far from when we wrote the packet is another packet's, or a stepped clock's: the user-space T1 stays.
    if (Math.abs(deltaNs) < LIMITS.txStampDistanceNsMax) this.#ring.txStamp(cookie, deltaNs, STAMP_SOURCE.kernel);
  }

  /** A clock that was stepped since the tick began must not go unnoticed: it would be in the round trips that come now. */
  onRead(): void {
    this.#readClock();
  }

  onDatagram(datagram: Datagram): void {
    if (this.#isIcmp[this.#socket] === true) this.#echo.receive(datagram);
    else this.#stamp.receive(datagram, this.#socket);
  }

  onIcmpError(datagram: Datagram, error: IcmpError): void {
    if (this.#isIcmp[this.#socket] === true) this.#echo.receiveError(datagram, this.#socket, error);
    else this.#stamp.receiveError(datagram, this.#socket, error);
  }

  close(): void {
    for (const transport of this.#transports) transport.close();
  }

  #readClock(): void {
    this.#clock.read();
    if (!this.#steps.observe(this.#clock)) return;
    this.#schedule.follow(this.#clock);
    this.#counters.add('clock_steps');
    this.#counters.max('clock_step_max_ns', Math.abs(this.#steps.lastStepNs));
  }

  #accountForWake(): void {
    const lateNs = Math.max(0, this.#clock.monoNs - this.#wakeNs);
    this.#counters.addAt(this.#ticksPlace, 1);
    const bucket = bucketOf(lateNs);
    this.#lateness[bucket] = (this.#lateness[bucket] ?? 0) + 1;
    this.#counters.maxAt(this.#latePlace, lateNs);
    this.#countStall(lateNs);
  }

  #countStall(ns: number): void {
    if (ns <= LIMITS.stallNs) return;
    this.#counters.add('stalls');
    this.#counters.max('stall_max_ns', ns);
  }

  /** Opens a slot for every probe that is due, sends those in time; returns when the next one falls due. */
  #sendDue(): number {
    for (let path = this.#nextDue(0); path >= 0; path = this.#nextDue(path + 1)) this.#sendPath(path);
    for (let socket = 0; socket < this.#transports.length; socket += 1) this.#send(socket);
    this.#afterSending();
    return this.#schedule.earliestNs();
  }

  #nextDue(from: number): number {
    return this.#schedule.nextDue(from, this.#clock.monoNs);
  }

  #sendPath(path: number): void {
    const nowNs = this.#clock.monoNs;
    const intervalNs = this.#schedule.intervalNs(path);
    this.#skipBeyondRing(path, intervalNs);
    for (;;) {
      const dueNs = this.#schedule.dueNs(path);
      const decision = decideDue(dueNs, nowNs, intervalNs, this.#plan.tickNs);
      if (decision === 'wait') return;
      const slot = this.#ring.open(path, dueNs);
      if (decision === 'missed') this.#ring.missed(slot);
      else this.#write(path, slot);
      this.#schedule.advance(path);
    }
  }

  /** After a stall longer than the ring remembers, the probes before it are skipped whole, and counted. */
  #skipBeyondRing(path: number, intervalNs: number): void {
    const dueNs = this.#schedule.dueNs(path);
    const behind = Math.floor((this.#clock.monoNs - dueNs) / intervalNs) - this.#ring.capacity(path);
    if (behind <= 0) return;
    this.#counters.add('slots_skipped', behind);
    this.#schedule.skip(path, behind);
  }

  #write(path: number, slot: number): void {
    const socket = this.#table.socket(path);
    const transport = this.#transports[socket];
    const cookies = this.#cookies[socket];
    if (!transport || !cookies) return;
    const message = this.#filled[socket] ?? 0;
    const { view } = transport.outgoing.arena;
    const offset = transport.outgoing.payload(message);
    const sequence = this.#ring.views.sequence[slot] ?? 0;
    const sender = this.#table.isEcho(path) ? this.#echo : this.#stamp;
    const length = sender.write(view, offset, path, sequence, this.#clock);
    this.#ring.stampT1(slot, this.#clock.wallSeconds, this.#clock.wallNanoseconds);
    transport.prepare(message, length, this.#table.destination(path));
    cookies[message] = slot;
    this.#filled[socket] = message + 1;
    if (message + 1 < cookies.length) return;
    this.#send(socket);
    this.#afterSending();
  }

  #send(socket: number): void {
    const transport = this.#transports[socket];
    const cookies = this.#cookies[socket];
    const count = this.#filled[socket] ?? 0;
    this.#sent[socket] = count;
    if (!transport || !cookies || count === 0) return;
    this.#socket = socket;
    transport.send(count, cookies, this);
    this.#filled[socket] = 0;
  }

  /** The next batch's T1 should be its own, and what is read next wants to know when that was. */
  #afterSending(): void {
    this.#clock.read();
    const isStalled = this.#clock.monoNs - this.#tickNs > LIMITS.stallNs;
    for (let socket = 0; socket < this.#transports.length; socket += 1) {
      if (isStalled) this.#voidUnstamped(this.#cookies[socket], this.#sent[socket] ?? 0);
      this.#sent[socket] = 0;
    }
  }

  /** A stall between T1 and the send is no delay of the network's: only a TX stamp could tell when these really left. */
  #voidUnstamped(cookies: Int32Array | undefined, count: number): void {
    for (let message = 0; message < count; message += 1) {
      const slot = cookies?.[message] ?? 0;
      if (this.#ring.isSent(slot) && !this.#ring.hasTxStamp(slot)) this.#ring.void(slot);
    }
  }

  #receive(): void {
    for (let socket = 0; socket < this.#transports.length; socket += 1) {
      const transport = this.#transports[socket];
      if (!transport) continue;
      this.#socket = socket;
      transport.receive(this);
    }
  }
}
