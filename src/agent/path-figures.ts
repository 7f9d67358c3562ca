/** Reads one path's slots of a window out of the ring and turns them into its figures. */

import { NS_PER_S } from '../base/units.ts';
import type { PathPlan } from '../probe/plan.ts';
import type { SummaryDelay, SummaryPath } from '../protocol/summary.ts';
import { SLOT_FLAG, SLOT_STATE, STAMP_SOURCE } from '../ring/layout.ts';
import type { Outcome, RingReader } from '../ring/reader.ts';
import { type DelayFigures, delayFigures } from '../stats/delay.ts';
import { HISTOGRAM_RELATIVE_ERROR, HISTOGRAM_SCHEME, LogHistogram } from '../stats/histogram.ts';
import { emptyCounts, type OutcomeCounts } from '../stats/outcomes.ts';
import type { SecondsTally } from '../stats/seconds.ts';
import { variationFigures } from '../stats/variation.ts';
import { differenceNs } from '../wire/ntp-time.ts';
import type { Window } from './windows.ts';

type Provenance = SummaryPath['provenance'];

/** Reads paths one after another; its scratch memory is made once, for the largest path. */
export class PathReader {
  readonly #ring: RingReader;
  readonly #windowS: number;
  readonly #tmaxNs: number;
  readonly #rttNs: Float64Array;
  readonly #rawNs: Float64Array;
  readonly #residenceNs: Float64Array;
  readonly #inSendOrderNs: Float64Array;
  readonly #sortScratchNs: Float64Array;
  readonly #histogram = new LogHistogram();
  /** Per second of the window: probes sent, probes lost, sum of delays in ns. */
  readonly #sent: Float64Array;
  readonly #lost: Float64Array;
  readonly #sumNs: Float64Array;

  constructor(ring: RingReader, windowS: number, tmaxNs: number, capacityMax: number) {
    this.#ring = ring;
    this.#windowS = windowS;
    this.#tmaxNs = tmaxNs;
    const scratch = (): Float64Array => new Float64Array(capacityMax);
    this.#rttNs = scratch();
    this.#rawNs = scratch();
    this.#residenceNs = scratch();
    this.#inSendOrderNs = scratch();
    this.#sortScratchNs = scratch();
    this.#sent = new Float64Array(windowS);
    this.#lost = new Float64Array(windowS);
    this.#sumNs = new Float64Array(windowS);
  }

  /** Whether every probe of the window has fallen due and has its outcome; else the window must wait for Tmax. */
  isSettled(path: number, window: Window, nowNs: number): boolean {
    if (this.#ring.horizonNs() < window.endNs) return false;
    const end = this.#ring.endOf(path, window.endNs);
    for (let sequence = this.#ring.sealed(path); sequence !== end; sequence = (sequence + 1) >>> 0) {
      if (this.#outcome(this.#ring.slotOf(path, sequence), nowNs) === 'open') return false;
    }
    return true;
  }

  /**
   * The path's part of the summary, and its seconds added to the peer's tally. The probes are sealed: whatever comes
   * for them later is a straggler. A probe still open counts as void: the agent stops before its Tmax.
   */
  read(path: number, plan: PathPlan, window: Window, nowNs: number, seconds: SecondsTally): SummaryPath {
    const counts = emptyCounts();
    const provenance = emptyProvenance();
    const refusals = new Map<number, number>();
    let delays = 0;
    this.#clearSeconds();
    const end = this.#ring.endOf(path, window.endNs);
    for (let sequence = this.#ring.sealed(path); sequence !== end; sequence = (sequence + 1) >>> 0) {
      const slot = this.#ring.slotOf(path, sequence);
      const outcome = this.#outcome(slot, nowNs);
      this.#count(slot, outcome, counts, refusals);
      const rttNs = outcome === 'received' ? this.#readDelay(slot, plan, delays, provenance) : Number.NaN;
      if (!Number.isNaN(rttNs)) delays += 1;
      this.#inSendOrderNs[counts.due - 1] = rttNs;
      if (outcome === 'received' || outcome === 'lost') this.#countSecond(slot, window, outcome, rttNs);
    }
    this.#ring.seal(path, end);
    for (let second = 0; second < this.#windowS; second += 1) {
      const lost = this.#lost[second] ?? 0;
      seconds.add(second, (this.#sent[second] ?? 0) - lost, lost);
    }
    return { ...describe(plan), counts, ...this.#figures(plan, delays, counts.due, refusals, provenance) };
  }

  #outcome(slot: number, nowNs: number): Outcome {
    return this.#ring.outcome(slot, nowNs - (this.#ring.views.dueNs[slot] ?? 0), this.#tmaxNs);
  }

  #count(slot: number, outcome: Outcome, counts: OutcomeCounts, refusals: Map<number, number>): void {
    const { views } = this.#ring;
    const flags = views.flags[slot] ?? 0;
    counts.due += 1;
    counts[outcome === 'open' ? 'void' : outcome] += 1;
    counts.duplicate += views.duplicates[slot] ?? 0;
    if (outcome === 'lost') {
      if (views.state[slot] === SLOT_STATE.late) counts.late += 1;
      else if ((flags & SLOT_FLAG.unreachable) !== 0) counts.unreachable += 1;
    } else if (outcome === 'refused') {
      const errno = views.errno[slot] ?? 0;
      refusals.set(errno, (refusals.get(errno) ?? 0) + 1);
    } else if (outcome === 'received' && (flags & SLOT_FLAG.reordered) !== 0) {
      counts.reordered += 1;
    }
  }

  /**
   * Stores the delays of a received probe as number `at`; returns the SLA's round trip, NaN when the clock was stepped
   * or the stamps contradict one another (standards: residence >= 0, net > 0): such a sample arrived, and has no delay.
   */
  #readDelay(slot: number, plan: PathPlan, at: number, provenance: Provenance): number {
    const { views } = this.#ring;
    const flags = views.flags[slot] ?? 0;
    countProvenance(provenance, flags);
    const rawNs = this.#difference(views.t4Seconds, views.t4Nanoseconds, views.t1Seconds, views.t1Nanoseconds, slot);
    const sinceTxNs = rawNs - (views.txDeltaNs[slot] ?? 0);
    const residenceNs =
      plan.kind === 'stamp'
        ? this.#difference(views.t3Seconds, views.t3Nanoseconds, views.t2Seconds, views.t2Nanoseconds, slot)
        : 0;
    const rttNs = sinceTxNs - residenceNs;
    if ((flags & SLOT_FLAG.delayVoid) !== 0 || residenceNs < 0 || rttNs <= 0) return Number.NaN;
    this.#rttNs[at] = rttNs;
    this.#rawNs[at] = sinceTxNs;
    this.#residenceNs[at] = residenceNs;
    return rttNs;
  }

  #difference(aS: Uint32Array, aNs: Uint32Array, bS: Uint32Array, bNs: Uint32Array, slot: number): number {
    return differenceNs(aS[slot] ?? 0, aNs[slot] ?? 0, bS[slot] ?? 0, bNs[slot] ?? 0);
  }

  #countSecond(slot: number, window: Window, outcome: Outcome, rttNs: number): void {
    const offsetNs = (this.#ring.views.dueNs[slot] ?? 0) - window.startNs;
    const second = Math.min(this.#windowS - 1, Math.max(0, Math.floor(offsetNs / NS_PER_S)));
    this.#sent[second] = (this.#sent[second] ?? 0) + 1;
    if (outcome === 'lost') this.#lost[second] = (this.#lost[second] ?? 0) + 1;
    if (!Number.isNaN(rttNs)) this.#sumNs[second] = (this.#sumNs[second] ?? 0) + rttNs;
  }

  #clearSeconds(): void {
    this.#sent.fill(0);
    this.#lost.fill(0);
    this.#sumNs.fill(0);
  }

  #figures(
    plan: PathPlan,
    delays: number,
    due: number,
    refusals: Map<number, number>,
    provenance: Provenance,
  ): Omit<SummaryPath, keyof ReturnType<typeof describe> | 'counts'> {
    const isStamp = plan.kind === 'stamp';
    const variation = variationFigures(this.#inSendOrderNs, due, this.#sortScratchNs);
    return {
      refused_by_errno: [...refusals].sort(([a], [b]) => a - b),
      histogram: this.#histogramOf(delays),
      rtt: toSummary(delayFigures(this.#rttNs, delays)),
      rtt_raw: isStamp ? toSummary(delayFigures(this.#rawNs, delays)) : null,
      residence: isStamp ? toSummary(delayFigures(this.#residenceNs, delays)) : null,
      ipdv: variation && {
        n: variation.n,
        mean_abs_ns: variation.meanAbsNs,
        p95_abs_ns: variation.p95AbsNs,
        min_ns: variation.minNs,
        max_ns: variation.maxNs,
      },
      provenance,
      seconds_with_loss: this.#secondsWithLoss(),
    };
  }

  #histogramOf(delays: number): SummaryPath['histogram'] {
    if (delays === 0) return null;
    this.#histogram.reset();
    for (let at = 0; at < delays; at += 1) this.#histogram.add(this.#rttNs[at] ?? 0);
    return { scheme: HISTOGRAM_SCHEME, relative_error: HISTOGRAM_RELATIVE_ERROR, buckets: this.#histogram.pairs() };
  }

  #secondsWithLoss(): SummaryPath['seconds_with_loss'] {
    const rows: SummaryPath['seconds_with_loss'] = [];
    for (const [second, lost] of this.#lost.entries()) {
      if (lost > 0) rows.push([second, this.#sent[second] ?? 0, lost, this.#sumNs[second] ?? 0]);
    }
    return rows;
  }
}

function describe(plan: PathPlan) {
  return {
    class: plan.className,
    kind: plan.kind,
    family: 'ipv4' as const,
    dscp: plan.dscp,
    size_bytes: plan.sizeBytes,
    flow: plan.flow,
    interval_ms: plan.intervalNs / 1_000_000,
  };
}

function emptyProvenance(): Provenance {
  return { tx_hardware: 0, tx_kernel: 0, tx_user: 0, rx_hardware: 0, rx_kernel: 0, rx_user: 0 };
}

function countProvenance(provenance: Provenance, flags: number): void {
  const tx = (flags >> SLOT_FLAG.txSourceShift) & SLOT_FLAG.sourceMask;
  const rx = (flags >> SLOT_FLAG.rxSourceShift) & SLOT_FLAG.sourceMask;
  if (tx === STAMP_SOURCE.hardware) provenance.tx_hardware += 1;
  else if (tx === STAMP_SOURCE.kernel) provenance.tx_kernel += 1;
  else provenance.tx_user += 1;
  if (rx === STAMP_SOURCE.hardware) provenance.rx_hardware += 1;
  else if (rx === STAMP_SOURCE.kernel) provenance.rx_kernel += 1;
  else provenance.rx_user += 1;
}

function toSummary(figures: DelayFigures | null): SummaryDelay | null {
  return (
    figures && {
      n: figures.n,
      sum_ns: figures.sumNs,
      min_ns: figures.minNs,
      mean_ns: figures.meanNs,
      max_ns: figures.maxNs,
      stddev_ns: figures.stddevNs,
      p50_ns: figures.p50Ns,
      p95_ns: figures.p95Ns,
      p99_ns: figures.p99Ns,
      p999_ns: figures.p999Ns,
    }
  );
}
