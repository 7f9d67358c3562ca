/** Makes the summary of a window: every peer's paths read from the ring, and what the instrument says of itself. */

import type { ClockState } from '../linux/clock-state.ts';
import type { PathPlan, ProbePlan } from '../probe/plan.ts';
import type { Probing, Reflecting } from '../probe/probing.ts';
import type { Summary, SummaryPath, SummaryPeer } from '../protocol/summary.ts';
import { SecondsTally } from '../stats/seconds.ts';
import { NS_PER_MS } from '../base/units.ts';
import { FramedText } from './framed-text.ts';
import { Instrument } from './instrument.ts';
import { FlowMerger } from './merge-flows.ts';
import { PathReader } from './path-figures.ts';
import type { SessionName } from './plan-reflector.ts';
import { ReflectedReader } from './reflected.ts';
import type { SummaryBody } from './seal.ts';
import { rfc3339, type Window } from './windows.ts';

/** What stays the same in every summary of one run. */
export interface Identity {
  pop: string;
  bootId: string;
  configDigest: string;
  software: string;
  /** Why the kernel does not stamp the packets; null when it does. */
  transportReason: string | null;
}

export interface SummarizerParts {
  identity: Identity;
  plan: ProbePlan;
  /** Of the reflector's plan in its order, null where they are no peer's. */
  sessions: readonly (SessionName | null)[];
  probing: Probing;
  reflecting: Reflecting;
  clockState: () => ClockState;
  /** Who summarised the windows until now; `kept` has for each path the number that it had there, or -1. */
  before?: { summarizer: Summarizer; kept: readonly number[] };
}

export class Summarizer {
  readonly #identity: Identity;
  readonly #plan: ProbePlan;
  readonly #paths: PathReader;
  #reflected: ReflectedReader;
  readonly #instrument: Instrument;
  readonly #clockState: () => ClockState;
  readonly #seconds: SecondsTally;
  readonly #flows = new FlowMerger();
  readonly #transport: Summary['parameters']['transport'];
  /** The peers as JSON text, in memory that every window uses again. */
  readonly #text: FramedText;
  /** Peer and its paths' numbers, in the plan's order. */
  readonly #peers: Map<string, number[]>;
  /** Numbers of the paths to the PoP itself. */
  readonly #floor: number[];

  constructor({ identity, plan, sessions, probing, reflecting, clockState, before }: SummarizerParts) {
    this.#identity = identity;
    this.#text = before ? before.summarizer.#text : new FramedText();
    this.#plan = plan;
    const reader = before && { reader: before.summarizer.#paths, kept: before.kept };
    this.#paths = new PathReader(probing.ring, plan.paths, plan.windowS, plan.tmaxNs, probing.estimate, reader);
    this.#reflected = new ReflectedReader(reflecting, sessions);
    this.#instrument = new Instrument(probing, reflecting, before && before.summarizer.#instrument);
    this.#clockState = clockState;
    this.#seconds = new SecondsTally(plan.windowS);
    this.#transport = Object.fromEntries(probing.sockets.map((socket) => [socket.kind, socket.transport]));
    this.#peers = groupByPeer(plan.paths);
    this.#floor = plan.paths.flatMap((path, index) => (path.floor ? [index] : []));
  }

  /** From here on the other end's counts are these. */
  reflect(reflecting: Reflecting, sessions: readonly (SessionName | null)[]): void {
    this.#reflected = new ReflectedReader(reflecting, sessions);
  }

  /** Whether every probe of the window has its outcome already, and every request of a peer is counted. */
  isSettled(window: Window, nowNs: number): boolean {
    if (!this.#reflected.isSettled(window)) return false;
    return this.#plan.paths.every((_, path) => this.#paths.isSettled(path, window, nowNs));
  }

  /** Reads the window out of the ring, once: its probes are sealed by this. The text is valid until the next call. */
  summarize(window: Window, nowNs: number): SummaryBody {
    let txStampsMissing = 0;
    this.#text.clear();
    this.#reflected.close(window);
    for (const [peer, paths] of this.#peers) {
      const summary = this.#summarizePeer(peer, paths, window, nowNs);
      for (const path of summary.paths) txStampsMissing += path.provenance.tx_user;
      if (this.#text.octets.length > 0) this.#text.append(',');
      this.#text.append(JSON.stringify(summary));
    }
    const floor = this.#floor.map((path) => this.#readFloor(path, window, nowNs));
    const { instrument, clock } = this.#instrument.read(txStampsMissing, this.#clockState(), floor);
    return {
      schema: 'popprobe.summary/1',
      pop: this.#identity.pop,
      boot_id: this.#identity.bootId,
      window: { start: rfc3339(window.startUnixS), start_unix_s: window.startUnixS, length_s: window.lengthS },
      config_digest: this.#identity.configDigest,
      software: this.#identity.software,
      parameters: {
        tmax_ms: this.#plan.tmaxNs / NS_PER_MS,
        tick_ms: this.#plan.tickNs / NS_PER_MS,
        schedule: this.#plan.schedule,
        transport: this.#transport,
        transport_reason: this.#identity.transportReason,
      },
      clock,
      instrument,
      peers: this.#text,
    };
  }

  #readFloor(path: number, window: Window, nowNs: number): Summary['instrument']['floor'][number] {
    this.#seconds.reset();
    const { kind, family, counts, rtt } = this.#readPath(path, window, nowNs);
    const { due, received } = counts;
    const [p50_ns, p99_ns, max_ns] = [rtt?.p50_ns ?? null, rtt?.p99_ns ?? null, rtt?.max_ns ?? null];
    return { kind, family, due, received, p50_ns, p99_ns, max_ns };
  }

  #readPath(path: number, window: Window, nowNs: number): SummaryPath {
    const plan = this.#plan.paths[path];
    if (!plan) throw new RangeError(`path ${path} is not in the plan`);
    return this.#paths.read(path, plan, window, nowNs, this.#seconds);
  }

  #summarizePeer(peer: string, paths: readonly number[], window: Window, nowNs: number): SummaryPeer {
    this.#seconds.reset();
    const figures = paths.map((path) => this.#readPath(path, window, nowNs));
    const classes = this.#flows.merge(figures);
    const reflected = this.#reflected.of(peer, window);
    return { peer, seconds: this.#seconds.toString(), classes, paths: figures, reflected };
  }
}

/** Peers and the numbers of their paths, in the order of the plan. */
export function groupByPeer(paths: readonly PathPlan[]): Map<string, number[]> {
  const peers = new Map<string, number[]>();
  for (const [index, path] of paths.entries()) {
    if (path.floor) continue;
    const own = peers.get(path.peer);
    if (own) own.push(index);
    else peers.set(path.peer, [index]);
  }
  return peers;
}
