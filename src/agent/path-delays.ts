/** The delays of one path's window: from the stamps in its slots to figures. Scratch memory, reused for every path. */

import type { PathPlan } from '../probe/plan.ts';
import type { SummaryDelay, SummaryPath } from '../protocol/summary.ts';
import { PATH_WORD, type RingViews, SLOT_FLAG, tableIndex } from '../ring/layout.ts';
import { type DelayFigures, delayFigures } from '../stats/delay.ts';
import { HISTOGRAM_RELATIVE_ERROR, HISTOGRAM_SCHEME, LogHistogram } from '../stats/histogram.ts';
import { pdvFigures } from '../stats/pdv.ts';
import { variationFigures } from '../stats/variation.ts';
import { errorEstimateSeconds } from '../wire/error-estimate.ts';
import { differenceNs } from '../wire/ntp-time.ts';
import { NS_PER_S } from '../base/units.ts';

type Figures = Pick<SummaryPath, 'rtt' | 'rtt_raw' | 'residence' | 'one_way' | 'histogram' | 'ipdv' | 'pdv'>;

export class PathDelays {
  readonly #views: RingViews;
  readonly #rttNs: Float64Array;
  readonly #rawNs: Float64Array;
  readonly #residenceNs: Float64Array;
  readonly #forwardNs: Float64Array;
  readonly #backwardNs: Float64Array;
  readonly #inSendOrderNs: Float64Array;
  readonly #sortScratchNs: Float64Array;
  readonly #histogram = new LogHistogram();
  #due = 0;
  #count = 0;
  #oneWay = 0;

  constructor(views: RingViews, capacityMax: number) {
    const scratch = (): Float64Array => new Float64Array(capacityMax);
    this.#views = views;
    this.#rttNs = scratch();
    this.#rawNs = scratch();
    this.#residenceNs = scratch();
    this.#forwardNs = scratch();
    this.#backwardNs = scratch();
    this.#inSendOrderNs = scratch();
    this.#sortScratchNs = scratch();
  }

  reset(): void {
    this.#due = 0;
    this.#count = 0;
    this.#oneWay = 0;
  }

  /** The next probe in send order has no delay. */
  addNone(): void {
    this.#inSendOrderNs[this.#due] = Number.NaN;
    this.#due += 1;
  }

  /**
   * The next probe in send order was received. Returns the SLA's round trip, NaN when the clock was stepped or the stamps
   * contradict one another (residence >= 0, net > 0): such a sample arrived, and has no delay.
   */
  addReceived(slot: number, plan: PathPlan): number {
    const views = this.#views;
    const flags = views.flags[slot] ?? 0;
    const rawNs = this.#between(views.t1Seconds, views.t1Nanoseconds, views.t4Seconds, views.t4Nanoseconds, slot);
    const sinceTxNs = rawNs - (views.txDeltaNs[slot] ?? 0);
    const residenceNs =
      plan.kind === 'stamp'
        ? this.#between(views.t2Seconds, views.t2Nanoseconds, views.t3Seconds, views.t3Nanoseconds, slot)
        : 0;
    const rttNs = sinceTxNs - residenceNs;
    if ((flags & SLOT_FLAG.delayVoid) !== 0 || residenceNs < 0 || rttNs <= 0) {
      this.addNone();
      return Number.NaN;
    }
    this.#inSendOrderNs[this.#due] = rttNs;
    this.#rttNs[this.#count] = rttNs;
    this.#rawNs[this.#count] = sinceTxNs;
    this.#residenceNs[this.#count] = residenceNs;
    this.#due += 1;
    this.#count += 1;
    if ((flags & SLOT_FLAG.synchronised) !== 0) this.#addOneWay(slot);
    return rttNs;
  }

  /** The figures of the path; sorts what was added, so they can be asked for once. `ownEstimate`: this host's clock. */
  figures(path: number, plan: PathPlan, ownEstimate: number): Figures {
    const isStamp = plan.kind === 'stamp';
    const count = this.#count;
    const variation = variationFigures(this.#inSendOrderNs, this.#due, this.#sortScratchNs);
    const histogram = this.#histogramOf();
    const rtt = toSummary(delayFigures(this.#rttNs, count));
    const pdv = pdvFigures(this.#rttNs, count);
    return {
      rtt,
      rtt_raw: isStamp ? toSummary(delayFigures(this.#rawNs, count)) : null,
      residence: isStamp ? toSummary(delayFigures(this.#residenceNs, count)) : null,
      one_way: this.#oneWayFigures(path, ownEstimate),
      histogram,
      ipdv: variation && {
        n: variation.n,
        mean_abs_ns: variation.meanAbsNs,
        p95_abs_ns: variation.p95AbsNs,
        min_ns: variation.minNs,
        max_ns: variation.maxNs,
      },
      pdv: pdv && { p95_ns: pdv.p95Ns, p999_ns: pdv.p999Ns },
    };
  }

  /** T2 - T1 and T4 - T3, negative ones kept (RFC 7679 section 3.5). */
  #addOneWay(slot: number): void {
    const views = this.#views;
    const sinceT1Ns = this.#between(views.t1Seconds, views.t1Nanoseconds, views.t2Seconds, views.t2Nanoseconds, slot);
    this.#forwardNs[this.#oneWay] = sinceT1Ns - (views.txDeltaNs[slot] ?? 0);
    this.#backwardNs[this.#oneWay] = this.#between(
      views.t3Seconds,
      views.t3Nanoseconds,
      views.t4Seconds,
      views.t4Nanoseconds,
      slot,
    );
    this.#oneWay += 1;
  }

  #oneWayFigures(path: number, ownEstimate: number): SummaryPath['one_way'] {
    const forward = toSummary(delayFigures(this.#forwardNs, this.#oneWay));
    const backward = toSummary(delayFigures(this.#backwardNs, this.#oneWay));
    if (!forward || !backward) return null;
    const theirs = this.#views.table[tableIndex(path, PATH_WORD.errorEstimate)] ?? 0;
    const errorS = (errorEstimateSeconds(ownEstimate) ?? 0) + (errorEstimateSeconds(theirs) ?? 0);
    return { forward, backward, error_ns: Math.ceil(errorS * NS_PER_S) };
  }

  #between(aS: Uint32Array, aNs: Uint32Array, bS: Uint32Array, bNs: Uint32Array, slot: number): number {
    return differenceNs(bS[slot] ?? 0, bNs[slot] ?? 0, aS[slot] ?? 0, aNs[slot] ?? 0);
  }

  #histogramOf(): SummaryPath['histogram'] {
    if (this.#count === 0) return null;
    this.#histogram.reset();
    for (let at = 0; at < this.#count; at += 1) this.#histogram.add(this.#rttNs[at] ?? 0);
    return { scheme: HISTOGRAM_SCHEME, relative_error: HISTOGRAM_RELATIVE_ERROR, buckets: this.#histogram.pairs() };
  }
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
