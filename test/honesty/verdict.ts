/** What became of the probes of a run: the product's own figures of each path, and the slots behind them. */

import type { UnixS } from '../../src/base/units.ts';
import { PathReader } from '../../src/agent/path-figures.ts';
import { formatIp } from '../../src/linux/ip-text.ts';
import type { EngineCounter } from '../../src/probe/health.ts';
import type { ProbePlan } from '../../src/probe/plan.ts';
import { sharedEstimate } from '../../src/probe/probing.ts';
import type { Counters } from '../../src/ring/counters.ts';
import { openRing, PATH_WORD, type RingViews, SLOT_FLAG, SLOT_STATE } from '../../src/ring/layout.ts';
import { offenderAddress } from '../../src/ring/offenders.ts';
import { RingReader } from '../../src/ring/reader.ts';
import { emptyCounts, type OutcomeCounts } from '../../src/stats/outcomes.ts';
import { SecondsTally } from '../../src/stats/seconds.ts';
import { differenceNs } from '../../src/wire/ntp-time.ts';
import { nowNs } from './now.ts';

/** Whatever falls due later than this after the run is not asked about. */
const WINDOW_S = 300;

const STATE_NAMES = Object.keys(SLOT_STATE);

export interface PathVerdict extends OutcomeCounts {
  /** Probes refused, by errno. */
  errnos: Record<number, number>;
  /** ICMP errors as 'type/code address of who sent it', and the probes they came for. */
  icmp: Record<string, number>;
  provenance: Record<string, number>;
}

/** A received probe. `netNs` is NaN where its delay counts for nothing. */
export interface Sample {
  sequence: number;
  dueNs: number;
  netNs: number;
  residenceNs: number;
}

export class Verdict {
  readonly counters: Record<EngineCounter, number>;
  readonly untilNs: number;
  readonly isFinal: boolean;
  readonly #plan: ProbePlan;
  readonly #ring: RingReader;
  readonly #paths: PathVerdict[];
  /** Each path's first probe, and the one after its last. */
  readonly #extents: { first: number; head: number }[];

  private constructor(plan: ProbePlan, ring: RingReader, counters: Record<EngineCounter, number>, untilNs: number) {
    this.#plan = plan;
    this.#ring = ring;
    this.counters = counters;
    this.untilNs = untilNs;
    this.isFinal = ring.horizonNs() > untilNs + plan.tmaxNs + plan.tickNs;
    if (ring.total(PATH_WORD.overwritten) > 0) throw new Error('the ring is too small for this run');
    this.#extents = plan.paths.map((_, path) => ({ first: ring.sealed(path), head: ring.head(path) }));
    const reader = new PathReader(ring, plan.paths, WINDOW_S, plan.tmaxNs, sharedEstimate());
    this.#paths = plan.paths.map((_, path) => this.#judge(reader, path));
  }

  /** The verdict on shared memory that nobody else uses: the paths are sealed by reading them. */
  static ofShared(
    plan: ProbePlan,
    ring: SharedArrayBuffer,
    counters: Record<EngineCounter, number>,
    untilNs: number,
  ): Verdict {
    return new Verdict(plan, new RingReader(openRing(ring)), counters, untilNs);
  }

  /** The verdict on what a thread is still working with. Reads a copy: nothing is sealed. */
  static ofRunning(
    plan: ProbePlan,
    { buffer }: Pick<RingViews, 'buffer'>,
    counters: Counters<EngineCounter>,
    untilNs: number,
  ): Verdict {
    const copy = new SharedArrayBuffer(buffer.byteLength);
    new Uint8Array(copy).set(new Uint8Array(buffer));
    const values = Object.fromEntries(counters.names.map((name) => [name, counters.get(name)]));
    return Verdict.ofShared(plan, copy, values as Record<EngineCounter, number>, untilNs);
  }

  /** The outcomes of the paths to one peer. */
  of(peer: string): PathVerdict {
    return sum(this.#paths.filter((_, path) => this.#plan.paths[path]?.peer === peer));
  }

  /** The outcomes of all paths. */
  all(): PathVerdict {
    return sum(this.#paths);
  }

  /** The received probes of all paths to a peer. */
  samples(peer: string): Sample[] {
    return this.#plan.paths.flatMap((plan, path) => (plan.peer === peer ? this.#samplesOf(path) : []));
  }

  /** How the path's probes that fell due in [fromNs, toNs) ended, by the state of their slots. */
  statesBetween(path: number, fromNs: number, toNs: number): Record<string, number> {
    const { views } = this.#ring;
    const found: Record<string, number> = {};
    for (const { slot } of this.#slots(path)) {
      const dueNs = views.dueNs[slot] ?? 0;
      if (dueNs < fromNs || dueNs >= toNs) continue;
      const name = STATE_NAMES[views.state[slot] ?? 0] ?? 'none';
      found[name] = (found[name] ?? 0) + 1;
    }
    return found;
  }

  #judge(reader: PathReader, path: number): PathVerdict {
    const plan = this.#plan.paths[path];
    if (!plan) throw new RangeError(`no path ${path}`);
    const icmp = this.#icmpOf(path);
    const window = { startUnixS: 0 as UnixS, lengthS: WINDOW_S, startNs: 0, endNs: this.untilNs };
    const read = reader.read(path, plan, window, nowNs(), new SecondsTally(WINDOW_S));
    return { ...read.counts, errnos: Object.fromEntries(read.refused_by_errno), icmp, provenance: read.provenance };
  }

  *#slots(path: number): Generator<{ slot: number; sequence: number }> {
    const { views } = this.#ring;
    const { first, head } = this.#extents[path] ?? { first: 0, head: 0 };
    for (let sequence = first; sequence !== head; sequence = (sequence + 1) >>> 0) {
      const slot = this.#ring.slotOf(path, sequence);
      if ((views.dueNs[slot] ?? 0) < this.untilNs) yield { slot, sequence };
    }
  }

  #icmpOf(path: number): Record<string, number> {
    const { views } = this.#ring;
    const found: Record<string, number> = {};
    for (const { slot } of this.#slots(path)) {
      if (((views.flags[slot] ?? 0) & SLOT_FLAG.unreachable) === 0) continue;
      const address = offenderAddress(views, views.offender[slot] ?? 0);
      const name = `${views.icmpType[slot]}/${views.icmpCode[slot]} ${address ? formatIp(address) : 'nobody'}`;
      found[name] = (found[name] ?? 0) + 1;
    }
    return found;
  }

  #samplesOf(path: number): Sample[] {
    const { views } = this.#ring;
    return [...this.#slots(path)]
      .filter(({ slot }) => views.state[slot] === SLOT_STATE.received)
      .map(({ slot, sequence }) => {
        const between = (aS: Uint32Array, aNs: Uint32Array, bS: Uint32Array, bNs: Uint32Array): number =>
          differenceNs(aS[slot] ?? 0, aNs[slot] ?? 0, bS[slot] ?? 0, bNs[slot] ?? 0);
        const isStamp = this.#plan.paths[path]?.kind === 'stamp';
        const residenceNs = isStamp
          ? between(views.t3Seconds, views.t3Nanoseconds, views.t2Seconds, views.t2Nanoseconds)
          : 0;
        const rawNs =
          between(views.t4Seconds, views.t4Nanoseconds, views.t1Seconds, views.t1Nanoseconds) -
          (views.txDeltaNs[slot] ?? 0);
        const isVoid = ((views.flags[slot] ?? 0) & SLOT_FLAG.delayVoid) !== 0;
        return {
          sequence,
          dueNs: views.dueNs[slot] ?? 0,
          netNs: isVoid ? Number.NaN : rawNs - residenceNs,
          residenceNs,
        };
      });
  }
}

/** Adds up, and checks what must hold for every path: due is the sum of the outcomes. */
function sum(paths: readonly PathVerdict[]): PathVerdict {
  const total: PathVerdict = { ...emptyCounts(), errnos: {}, icmp: {}, provenance: {} };
  for (const path of paths) {
    const { errnos, icmp, provenance, ...counts } = path;
    const parts = counts.received + counts.lost + counts.refused + counts.missed + counts.void;
    if (parts !== counts.due) throw new Error(`due is not the sum of the outcomes: ${JSON.stringify(counts)}`);
    for (const name of Object.keys(counts) as (keyof OutcomeCounts)[]) total[name] += counts[name];
    add(total.errnos, errnos);
    add(total.icmp, icmp);
    add(total.provenance, provenance);
  }
  return total;
}

function add(into: Record<string, number>, from: Record<string, number>): void {
  for (const [name, count] of Object.entries(from)) into[name] = (into[name] ?? 0) + count;
}
