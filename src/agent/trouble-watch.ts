/** What trouble the instrument had since the last look, from the counters of the probing thread and the state of the disk. */

import type { EngineCounter } from '../probe/health.ts';
import type { Probing } from '../probe/probing.ts';
import { PATH_WORD } from '../ring/layout.ts';
import type { RingReader } from '../ring/reader.ts';
import type { Trouble } from './instrument-state.ts';

/** Which counter tells of which trouble. */
const TROUBLES: readonly (readonly [EngineCounter, Trouble])[] = [
  ['stalls', 'stalls'],
  ['socket_drops', 'socket_drops'],
  ['slots_skipped', 'ring_overwritten'],
  ['suspends', 'suspended'],
];

export class TroubleWatch {
  readonly #before = new Map<EngineCounter, number>();
  #ring: RingReader;
  #overwrittenBefore: number;

  constructor({ counters, ring }: Pick<Probing, 'counters' | 'ring'>) {
    for (const [counter] of TROUBLES) this.#before.set(counter, counters.get(counter));
    this.#ring = ring;
    this.#overwrittenBefore = ring.total(PATH_WORD.overwritten);
  }

  /** Called each second, with the ring that is in use now; each trouble is listed once. */
  turn({ counters, ring }: Pick<Probing, 'counters' | 'ring'>, isSpoolRefusing: boolean): Trouble[] {
    const troubles = new Set<Trouble>();
    for (const [counter, trouble] of TROUBLES) {
      const count = counters.get(counter);
      if (count > (this.#before.get(counter) ?? 0)) troubles.add(trouble);
      this.#before.set(counter, count);
    }
    if (this.#hasOverwritten(ring)) troubles.add('ring_overwritten');
    if (isSpoolRefusing) troubles.add('spool_refuses');
    return [...troubles];
  }

  /** Another configuration has brought another ring, with counts of its own. */
  #hasOverwritten(ring: RingReader): boolean {
    const overwritten = ring.total(PATH_WORD.overwritten);
    const hasMore = ring === this.#ring && overwritten !== this.#overwrittenBefore;
    this.#ring = ring;
    this.#overwrittenBefore = overwritten;
    return hasMore;
  }
}
