/** One letter per second of the window: good, bad or unknown. Availability is built from these. */

/**
 * Tallies the probes towards one peer by second, over all its paths. Made once per peer and reused window after window,
 * so that summarising allocates nothing but the final string.
 */
export class SecondsTally {
  readonly #received: Uint32Array;
  readonly #lost: Uint32Array;

  /**
   * @param seconds the window's length.
   * @throws RangeError when it is not a positive whole number.
   */
  constructor(seconds: number) {
    if (!(Number.isInteger(seconds) && seconds >= 1)) throw new RangeError(`seconds expected, found ${seconds}`);
    this.#received = new Uint32Array(seconds);
    this.#lost = new Uint32Array(seconds);
  }

  /**
   * Counts measured probes of one second; what was refused, missed or void says nothing and does not come here.
   *
   * A second outside the window goes to its nearest edge. The window is bounded on the wall clock and probes fall due on
   * the monotonic one; while NTP slews the former, a probe of the window can compute as a hair before its first second
   * or after its last. It belongs to this window's counts, so it must not vanish from its seconds.
   *
   * @param second whole seconds since the start of the window.
   * @throws RangeError when it is not a whole number.
   */
  add(second: number, received: number, lost: number): void {
    if (!Number.isInteger(second)) throw new RangeError(`a whole second expected, found ${second}`);
    const index = Math.min(Math.max(second, 0), this.#received.length - 1);
    this.#received[index] = (this.#received[index] ?? 0) + received;
    this.#lost[index] = (this.#lost[index] ?? 0) + lost;
  }

  /** Forgets everything, for the next window. */
  reset(): void {
    this.#received.fill(0);
    this.#lost.fill(0);
  }

  /** One letter per second: `g` good, `b` bad, `u` unknown. */
  toString(): string {
    let letters = '';
    for (const [second, received] of this.#received.entries()) letters += letterOf(received, this.#lost[second] ?? 0);
    return letters;
  }
}

/** What a second is called: `g` good, `b` bad, `u` unknown. */
export type SecondLetter = 'g' | 'b' | 'u';

/** Bad is a loss ratio above 50 %, compared in integers: exactly half lost is still good. */
export function letterOf(received: number, lost: number): SecondLetter {
  const measured = received + lost;
  if (measured === 0) return 'u';
  return lost * 2 > measured ? 'b' : 'g';
}
