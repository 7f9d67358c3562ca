/** The agent's path traces: one at a time, and seldom to the same peer. */

import type { Logger } from 'pino';
import type { Clock } from '../base/clock.ts';
import { PopprobeError } from '../base/errors.ts';
import type { IpFamily } from '../base/ip-address.ts';
import { LIMITS } from '../base/limits.ts';
import { MS_PER_S, NS_PER_S } from '../base/units.ts';
import { nearest } from '../config/nearest.ts';
import type { PathTrace } from '../protocol/record.ts';
import type { TraceTarget } from './path-trace.ts';

/** A peer and where it is reached; null where it has no address of the family. */
export interface TracePeer extends Readonly<Record<IpFamily, string | null>> {
  readonly name: string;
}

export interface TracesParts {
  peers: readonly TracePeer[];
  clock: Clock;
  /** Runs one trace and never rejects, see `tracePath`. */
  run: (target: TraceTarget, signal: AbortSignal) => Promise<PathTrace>;
  /** Hears of every trace that has ended, before whoever asked for it. */
  onEnded: (trace: PathTrace) => void;
  log: Logger;
}

export interface TracesStatus {
  /** The peer to which a trace runs now, and how many wait for it to end. */
  running: string | null;
  waiting: number;
  /** Since the agent started: ended; refused, because the last one to the peer was too short a time ago. */
  ended: number;
  refused: number;
}

/** A trace that waits or runs, and those who wait for it. */
interface Job {
  readonly target: TraceTarget;
  readonly answer: ((trace: PathTrace) => void)[];
}

export class Traces {
  readonly #parts: TracesParts;
  #peers: readonly TracePeer[];
  readonly #stopping = new AbortController();
  /** At most one a peer. */
  readonly #waiting: Job[] = [];
  #running: Job | null = null;
  #run: Promise<void> = Promise.resolve();
  /** When the last trace to each peer began, ns on CLOCK_MONOTONIC. */
  readonly #begunNs = new Map<string, number>();
  readonly #counts = { ended: 0, refused: 0 };
  #lastFailure: string | null = null;

  constructor(parts: TracesParts) {
    this.#parts = parts;
    this.#peers = parts.peers;
  }

  /** From here on these are the peers; a trace that runs or waits goes on. */
  use(peers: readonly TracePeer[]): void {
    this.#peers = peers;
  }

  status(): TracesStatus {
    return { running: this.#running?.target.peer ?? null, waiting: this.#waiting.length, ...this.#counts };
  }

  /**
   * Traces the route to a peer whose pair has turned bad.
   *
   * @param family that of the paths that were lost
   * @throws PopprobeError `not_found`, `trace_too_soon`
   */
  pairBad(peer: string, family: IpFamily): void {
    const target = this.#targetOf(peer, family, 'pair_bad');
    if (this.#jobFor(target)) return;
    this.#refuseTooSoon(peer);
    this.#waiting.push({ target, answer: [] });
    this.#next();
  }

  /** A pair is good again: a trace that has not begun yet would show nothing of the outage. */
  pairGood(peer: string): void {
    const at = this.#waiting.findIndex(({ target, answer }) => target.peer === peer && answer.length === 0);
    if (at !== -1) this.#waiting.splice(at, 1);
  }

  /**
   * Traces the route to a peer for somebody who waits for it, ahead of what the agent wants to know for itself. Where a
   * trace to that peer waits or runs already, that one is the answer.
   *
   * @param family null: IPv4 where the peer has it, else IPv6
   * @throws PopprobeError `not_found` for a peer or an address that is not in the mesh, `trace_too_soon`
   */
  async request(peer: string, family: IpFamily | null): Promise<PathTrace> {
    const target = this.#targetOf(peer, family, 'requested');
    let job = this.#jobFor(target);
    if (!job) {
      this.#refuseTooSoon(peer);
      job = { target, answer: [] };
      this.#waiting.push(job);
    }
    const { answer } = job;
    const answered = new Promise<PathTrace>((resolve) => answer.push(resolve));
    this.#waiting.sort((a, b) => Number(b.answer.length > 0) - Number(a.answer.length > 0));
    this.#next();
    return await answered;
  }

  /** Ends the trace that runs, as failed, and forgets those that wait. */
  async stop(): Promise<void> {
    this.#waiting.length = 0;
    this.#stopping.abort(new Error('the agent was stopped'));
    await this.#run;
  }

  #targetOf(name: string, family: IpFamily | null, reason: TraceTarget['reason']): TraceTarget {
    const peers = this.#peers;
    const peer = peers.find((candidate) => candidate.name === name);
    if (!peer) {
      const names = peers.map((candidate) => candidate.name);
      const meant = nearest(name, names);
      throw new PopprobeError('not_found', {
        expected: 'the name of a peer of this PoP',
        found: JSON.stringify(name),
        remedy: meant === null ? '"popprobe status" lists the peers' : `did you mean "${meant}"?`,
      });
    }
    const chosen = family ?? (peer.ipv4 === null ? 'ipv6' : 'ipv4');
    const address = peer[chosen];
    if (address === null) {
      throw new PopprobeError('not_found', {
        expected: `an ${chosen} address of ${name} in the mesh`,
        found: 'none',
        remedy: 'ask for the other family, or add the address to the mesh',
      });
    }
    return { peer: name, family: chosen, address, reason };
  }

  #jobFor({ peer, family }: TraceTarget): Job | undefined {
    const jobs = this.#running ? [this.#running, ...this.#waiting] : this.#waiting;
    return jobs.find(({ target }) => target.peer === peer && target.family === family);
  }

  #refuseTooSoon(peer: string): void {
    const begunNs = this.#begunNs.get(peer);
    const { clock } = this.#parts;
    clock.read();
    const agoS = begunNs === undefined ? Number.POSITIVE_INFINITY : (clock.monoNs - begunNs) / NS_PER_S;
    const isWaiting = this.#waiting.some(({ target }) => target.peer === peer);
    if (agoS >= LIMITS.traceIntervalS && !isWaiting) return;
    this.#counts.refused += 1;
    const waitS = isWaiting ? LIMITS.traceIntervalS : Math.ceil(LIMITS.traceIntervalS - agoS);
    const possible = new Date((clock.wallSeconds + waitS) * MS_PER_S).toISOString();
    throw new PopprobeError('trace_too_soon', {
      expected: `no trace to ${peer} in the last ${LIMITS.traceIntervalS} s`,
      found: isWaiting ? 'one that waits for its turn' : `one that began ${Math.floor(agoS)} s ago`,
      remedy: `ask again in ${waitS} s, from ${possible} on; the last one is in a signed record`,
    });
  }

  #next(): void {
    if (this.#running) return;
    const job = this.#waiting.shift();
    if (job) this.#run = this.#runJob(job);
  }

  async #runJob(job: Job): Promise<void> {
    const { clock, run, onEnded } = this.#parts;
    this.#running = job;
    clock.read();
    this.#begunNs.set(job.target.peer, clock.monoNs);
    const trace = await run(job.target, this.#stopping.signal);
    this.#running = null;
    this.#counts.ended += 1;
    this.#say(trace);
    onEnded(trace);
    for (const answer of job.answer) answer(trace);
    this.#next();
  }

  /** A host that does not permit traces says so once, not for every trace. */
  #say({ peer, family, reason, outcome, failure, hops }: PathTrace): void {
    const { log } = this.#parts;
    const ended = { peer, family, reason, outcome, hops: hops.length };
    if (failure !== null && failure !== this.#lastFailure) log.warn({ ...ended, failure }, 'path trace failed');
    else log.info(ended, 'path traced');
    this.#lastFailure = failure;
  }
}
