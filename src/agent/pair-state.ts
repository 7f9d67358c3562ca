/** Whether a pair is good or bad, second by second: it takes several in a row to change that. */

import { LIMITS } from '../base/limits.ts';
import type { SecondLetter } from '../stats/seconds.ts';

export class PairState {
  #isBad = false;
  #against = 0;

  /**
   * Takes the judgement of the next second. Returns what the pair turned to with it, or null when nothing changed. A pair
   * begins as good, so that a peer that never answers turns bad. An unknown second is passed over.
   */
  judge(letter: SecondLetter): 'good' | 'bad' | null {
    if (letter === 'u') return null;
    if ((letter === 'b') === this.#isBad) {
      this.#against = 0;
      return null;
    }
    this.#against += 1;
    if (this.#against < LIMITS.pairTurnSeconds) return null;
    this.#against = 0;
    this.#isBad = !this.#isBad;
    return this.#isBad ? 'bad' : 'good';
  }
}
