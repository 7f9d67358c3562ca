/** Loss patterns of one window: how far losses lie apart and how many come in a row (RFC 3357). */

/** Figures of one window, counted in measured probes: distance 1 is from one probe to the next. */
export interface LossPeriodFigures {
  lost: number;
  /** Loss-Period-Total (section 6.2): runs of probes lost one after another. */
  periods: number;
  /** Longest of the Loss-Period-Lengths (section 6.3); 0 without a loss. */
  lengthMax: number;
  /** Their mean; null without a loss. */
  lengthMean: number | null;
  /**
   * Inter-Loss-Period-Lengths (section 6.4) from the second period on: distance from the last probe lost of one period to
   * the first of the next. The first period's, 0 by definition, is no distance and is left out. Null below two periods.
   */
  interLossMin: number | null;
  interLossMean: number | null;
  interLossMax: number | null;
  /** Loss-Noticeable-Rate (section 6.1): share of the lost with a distance of at most delta; null without a loss. */
  noticeableRate: number | null;
}

/**
 * Fed with the measured probes of a path in send order. Refused, missed and void probes are not fed: they say nothing of
 * the network, so they neither end a period nor count in a distance. Only the window itself is looked at: a period that
 * goes on in the next window counts once in each.
 */
export class LossPeriods {
  readonly #delta: number;
  /** Measured probes so far; the newest one's number. */
  #probes = 0;
  #lost = 0;
  #lastLost = 0;
  #periods = 0;
  #length = 0;
  #lengthMax = 0;
  #noticeable = 0;
  #interLossSum = 0;
  #interLossMin = Number.POSITIVE_INFINITY;
  #interLossMax = 0;

  /**
   * @param delta the loss constraint: a loss at most this far from the one before is noticeable.
   * @throws RangeError when it is not a positive whole number.
   */
  constructor(delta: number) {
    if (!(Number.isInteger(delta) && delta >= 1)) throw new RangeError(`a delta of 1 or more expected, found ${delta}`);
    this.#delta = delta;
  }

  /** The next measured probe was received. */
  addReceived(): void {
    this.#probes += 1;
    this.#length = 0;
  }

  /** The next measured probe was lost. Returns its loss distance, 0 for the first of the window (section 5.2). */
  addLost(): number {
    this.#probes += 1;
    const distance = this.#lost === 0 ? 0 : this.#probes - this.#lastLost;
    if (this.#length === 0) this.#beginPeriod(distance);
    this.#length += 1;
    this.#lengthMax = Math.max(this.#lengthMax, this.#length);
    if (this.#lost > 0 && distance <= this.#delta) this.#noticeable += 1;
    this.#lost += 1;
    this.#lastLost = this.#probes;
    return distance;
  }

  #beginPeriod(distance: number): void {
    this.#periods += 1;
    if (this.#periods === 1) return;
    this.#interLossSum += distance;
    this.#interLossMin = Math.min(this.#interLossMin, distance);
    this.#interLossMax = Math.max(this.#interLossMax, distance);
  }

  /** The figures of what was fed since the last `reset`. */
  figures(): LossPeriodFigures {
    const gaps = this.#periods - 1;
    return {
      lost: this.#lost,
      periods: this.#periods,
      lengthMax: this.#lengthMax,
      lengthMean: this.#periods > 0 ? this.#lost / this.#periods : null,
      interLossMin: gaps > 0 ? this.#interLossMin : null,
      interLossMean: gaps > 0 ? this.#interLossSum / gaps : null,
      interLossMax: gaps > 0 ? this.#interLossMax : null,
      noticeableRate: this.#lost > 0 ? this.#noticeable / this.#lost : null,
    };
  }

  /** Forgets everything, for the next window or path. */
  reset(): void {
    this.#probes = 0;
    this.#lost = 0;
    this.#lastLost = 0;
    this.#periods = 0;
    this.#length = 0;
    this.#lengthMax = 0;
    this.#noticeable = 0;
    this.#interLossSum = 0;
    this.#interLossMin = Number.POSITIVE_INFINITY;
    this.#interLossMax = 0;
  }
}
