/** What a path's probes tell about the way itself: which way they were lost, how many hops they took, who sent errors. */

import { LIMITS } from '../base/limits.ts';
import { formatIp } from '../linux/ip-text.ts';
import type { PathPlan } from '../probe/plan.ts';
import type { SummaryPath } from '../protocol/summary.ts';
import { PATH_WORD } from '../ring/layout.ts';
import { offenderAddress } from '../ring/offenders.ts';
import type { Outcome, RingReader } from '../ring/reader.ts';
import { DirectionalLoss } from '../stats/directional-loss.ts';
import { HopWatch } from '../stats/hop-watch.ts';
import { LossPeriods } from '../stats/loss-periods.ts';

/** A loss this close behind another is noticeable (RFC 3357 section 6.1): what an ear or a TCP flow would meet as one. */
const NOTICEABLE_DISTANCE = 2;

type Findings = Pick<
  SummaryPath,
  'unreachable_by' | 'loss_direction' | 'loss_periods' | 'hops' | 'dscp_remarked' | 'direct_measurement' | 'stragglers'
>;

/** One for each path, kept across windows. Fed with the window's probes in send order. */
export class PathTrail {
  readonly #ring: RingReader;
  readonly #path: number;
  readonly #plan: PathPlan;
  readonly #direction: DirectionalLoss | null;
  readonly #forward: HopWatch;
  readonly #backward: HopWatch;
  readonly #periods = new LossPeriods(NOTICEABLE_DISTANCE);
  /** Count of unreachable probes by type, code and offender, as `type * 2^16 + code * 2^8 + offender`. */
  readonly #unreachable = new Map<number, number>();
  readonly #before = { stragglers: 0, forward: 0, reverse: 0 };

  /** `before` is the trail of the path that this one continues; its window has been taken. */
  constructor(ring: RingReader, path: number, plan: PathPlan, before?: PathTrail) {
    this.#ring = ring;
    this.#path = path;
    this.#plan = plan;
    this.#forward = before ? before.#forward : new HopWatch();
    this.#backward = before ? before.#backward : new HopWatch();
    this.#direction = before ? before.#direction : directionOf(plan);
    if (before) Object.assign(this.#before, before.#before);
  }

  add(slot: number, outcome: Outcome): void {
    switch (outcome) {
      case 'received':
        this.#addReceived(slot);
        break;
      case 'lost':
        this.#direction?.addLost();
        this.#periods.addLost();
        break;
      case 'void':
      case 'open':
        this.#direction?.addVoid();
        break;
      case 'refused':
      case 'missed':
        // It never left this host: the way knows nothing of it.
        break;
    }
  }

  /** A lost probe for which an ICMP error came. */
  addUnreachable(slot: number): void {
    const { icmpType, icmpCode, offender } = this.#ring.views;
    const key = ((icmpType[slot] ?? 0) << 16) | ((icmpCode[slot] ?? 0) << 8) | (offender[slot] ?? 0);
    this.#unreachable.set(key, (this.#unreachable.get(key) ?? 0) + 1);
  }

  /** The window's findings; the next window starts from here. */
  take(): Findings {
    const findings: Findings = {
      unreachable_by: this.#unreachableBy(),
      loss_direction: this.#direction?.take() ?? null,
      loss_periods: this.#lossPeriods(),
      hops: { forward: this.#forward.take(), backward: this.#backward.take() },
      dscp_remarked: {
        forward: this.#gained('forward', PATH_WORD.forwardRemarked),
        reverse: this.#gained('reverse', PATH_WORD.reverseRemarked),
      },
      direct_measurement: this.#directMeasurement(),
      stragglers: this.#gained('stragglers', PATH_WORD.stragglers),
    };
    this.#unreachable.clear();
    this.#periods.reset();
    return findings;
  }

  #addReceived(slot: number): void {
    const { reflectorSequence, senderTtl, replyTtl } = this.#ring.views;
    this.#direction?.addReceived(reflectorSequence[slot] ?? 0);
    this.#periods.addReceived();
    const [there, back] = [senderTtl[slot] ?? 0, replyTtl[slot] ?? 0];
    if (there > 0) this.#forward.add(there);
    if (back > 0) this.#backward.add(back);
  }

  #unreachableBy(): Findings['unreachable_by'] {
    const rows = [...this.#unreachable].toSorted(([, a], [, b]) => b - a).slice(0, LIMITS.unreachableRowsMax);
    return rows.map(([key, count]) => {
      const from = offenderAddress(this.#ring.views, key & 255);
      return { icmp_type: key >> 16, icmp_code: (key >> 8) & 255, from: from && formatIp(from), count };
    });
  }

  #lossPeriods(): Findings['loss_periods'] {
    const figures = this.#periods.figures();
    if (figures.lengthMean === null || figures.noticeableRate === null) return null;
    return {
      periods: figures.periods,
      length_max: figures.lengthMax,
      length_mean: figures.lengthMean,
      inter_loss_min: figures.interLossMin,
      inter_loss_mean: figures.interLossMean,
      inter_loss_max: figures.interLossMax,
      noticeable_rate: figures.noticeableRate,
    };
  }

  #directMeasurement(): Findings['direct_measurement'] {
    if (!this.#plan.tlvs.includes('direct_measurement')) return null;
    return {
      reflector_received: this.#ring.word(this.#path, PATH_WORD.reflectorReceived),
      reflector_sent: this.#ring.word(this.#path, PATH_WORD.reflectorSent),
    };
  }

  #gained(name: 'stragglers' | 'forward' | 'reverse', word: number): number {
    const now = this.#ring.word(this.#path, word);
    const gained = (now - this.#before[name]) >>> 0;
    this.#before[name] = now;
    return gained;
  }
}

/** A stateless reflector repeats our numbers: it would make all loss look reverse. */
function directionOf({ kind, reflector }: PathPlan): DirectionalLoss | null {
  return kind === 'stamp' && reflector === 'stateful' ? new DirectionalLoss() : null;
}
