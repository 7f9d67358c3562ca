/** Reads one path's slots of a window out of the ring and turns them into its part of the summary. */

import { familyOf } from '../base/ip-address.ts';
import { NS_PER_S } from '../base/units.ts';
import type { PathPlan } from '../probe/plan.ts';
import type { SummaryPath } from '../protocol/summary.ts';
import { SLOT_FLAG, SLOT_STATE, STAMP_SOURCE } from '../ring/layout.ts';
import type { Outcome, RingReader } from '../ring/reader.ts';
import { emptyCounts, type OutcomeCounts } from '../stats/outcomes.ts';
import type { SecondsTally } from '../stats/seconds.ts';
import { PathDelays } from './path-delays.ts';
import { PathTrail } from './path-trail.ts';
import type { Window } from './windows.ts';

type Provenance = SummaryPath['provenance'];

/** Reads paths one after another; its scratch memory is made once, for the largest path. */
export class PathReader {
  readonly #ring: RingReader;
  readonly #windowS: number;
  readonly #tmaxNs: number;
  readonly #estimate: Int32Array;
  readonly #delays: PathDelays;
  readonly #trails: readonly PathTrail[];
  /** Per second of the window: probes sent, probes lost, sum of delays in ns. */
  readonly #sent: Float64Array;
  readonly #lost: Float64Array;
  readonly #sumNs: Float64Array;

  /** `estimate` holds what this host says of its clock, a STAMP Error Estimate. `before` reads the paths that go on. */
  constructor(
    ring: RingReader,
    plans: readonly PathPlan[],
    windowS: number,
    tmaxNs: number,
    estimate: Int32Array,
    before?: { reader: PathReader; kept: readonly number[] },
  ) {
    this.#ring = ring;
    this.#windowS = windowS;
    this.#tmaxNs = tmaxNs;
    this.#estimate = estimate;
    this.#delays = new PathDelays(ring.views, Math.max(1, ...plans.map((plan) => plan.capacity)));
    const trails = before ? before.reader.#trails : [];
    this.#trails = plans.map((plan, path) => new PathTrail(ring, path, plan, trails[before?.kept[path] ?? -1]));
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
    const trail = this.#trails[path];
    if (!trail) throw new RangeError(`a path below ${this.#trails.length} expected, found ${path}`);
    const counts = emptyCounts();
    const provenance = emptyProvenance();
    const refusals = new Map<number, number>();
    this.#delays.reset();
    this.#clearSeconds();
    const end = this.#ring.endOf(path, window.endNs);
    for (let sequence = this.#ring.sealed(path); sequence !== end; sequence = (sequence + 1) >>> 0) {
      const slot = this.#ring.slotOf(path, sequence);
      const outcome = this.#outcome(slot, nowNs);
      this.#count(slot, outcome, counts, refusals, trail);
      trail.add(slot, outcome);
      const rttNs = outcome === 'received' ? this.#delays.addReceived(slot, plan) : Number.NaN;
      if (outcome === 'received') countProvenance(provenance, this.#ring.views.flags[slot] ?? 0);
      else this.#delays.addNone();
      if (outcome === 'received' || outcome === 'lost') this.#countSecond(slot, window, outcome, rttNs);
    }
    this.#ring.seal(path, end);
    for (let second = 0; second < this.#windowS; second += 1) {
      const lost = this.#lost[second] ?? 0;
      seconds.add(second, (this.#sent[second] ?? 0) - lost, lost);
    }
    return {
      ...describe(plan),
      counts,
      refused_by_errno: [...refusals].sort(([a], [b]) => a - b),
      ...this.#delays.figures(path, plan, this.#estimate[0] ?? 0),
      ...trail.take(),
      provenance,
      seconds_with_loss: this.#secondsWithLoss(),
    };
  }

  #outcome(slot: number, nowNs: number): Outcome {
    const heardNs = Math.min(nowNs, this.#ring.horizonNs());
    return this.#ring.outcome(slot, heardNs - (this.#ring.views.dueNs[slot] ?? 0), this.#tmaxNs);
  }

  #count(slot: number, outcome: Outcome, counts: OutcomeCounts, refusals: Map<number, number>, trail: PathTrail): void {
    const { views } = this.#ring;
    counts.due += 1;
    counts[outcome === 'open' ? 'void' : outcome] += 1;
    counts.duplicate += views.duplicates[slot] ?? 0;
    if (outcome === 'lost') {
      this.#countLost(slot, counts, trail);
    } else if (outcome === 'refused') {
      const errno = views.errno[slot] ?? 0;
      refusals.set(errno, (refusals.get(errno) ?? 0) + 1);
    } else if (outcome === 'received' && ((views.flags[slot] ?? 0) & SLOT_FLAG.reordered) !== 0) {
      counts.reordered += 1;
    }
  }

  /** The sub-counts of a lost probe exclude one another: a late reply says more than an error, and that more than damage. */
  #countLost(slot: number, counts: OutcomeCounts, trail: PathTrail): void {
    const { views } = this.#ring;
    const flags = views.flags[slot] ?? 0;
    if (views.state[slot] === SLOT_STATE.late) {
      counts.late += 1;
    } else if ((flags & SLOT_FLAG.unreachable) !== 0) {
      counts.unreachable += 1;
      trail.addUnreachable(slot);
    } else if ((flags & SLOT_FLAG.corrupt) !== 0) {
      counts.corrupt += 1;
    }
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
    family: familyOf(plan.address),
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
