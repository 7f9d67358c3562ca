/** What trouble the instrument had since the last look, from the counters of its threads and the state of the disk. */

import type { EngineCounter } from '../probe/health.ts';
import type { Probing, Reflecting } from '../probe/probing.ts';
import { PATH_WORD } from '../ring/layout.ts';
import type { RingReader } from '../ring/reader.ts';
import type { Trouble } from './instrument-state.ts';

/** The threads as far as they tell of trouble. */
interface Threads {
  probing: Pick<Probing, 'counters' | 'ring'>;
  reflecting: Pick<Reflecting, 'counters'>;
}

/** Which counter of the probing thread tells of which trouble. */
const TROUBLES: readonly (readonly [EngineCounter, Trouble])[] = [
  ['stalls', 'stalls'],
  ['socket_drops', 'socket_drops'],
  ['slots_skipped', 'ring_overwritten'],
  ['suspends', 'suspended'],
];

export class TroubleWatch {
  readonly #before = new Map<EngineCounter, number>();
  #requestsDroppedBefore: number;
  #ring: RingReader;
  #overwrittenBefore: number;

  constructor({ probing: { counters, ring }, reflecting }: Threads) {
    this.#requestsDroppedBefore = reflecting.counters.get('drop_socket_full');
    for (const [counter] of TROUBLES) this.#before.set(counter, counters.get(counter));
    this.#ring = ring;
    this.#overwrittenBefore = ring.total(PATH_WORD.overwritten);
  }

  /** Called each second, with the ring that is in use now; each trouble is listed once. */
  turn({ probing: { counters, ring }, reflecting }: Threads, isSpoolRefusing: boolean): Trouble[] {
    const troubles = new Set<Trouble>();
    for (const [counter, trouble] of TROUBLES) {
      const count = counters.get(counter);
      if (count > (this.#before.get(counter) ?? 0)) troubles.add(trouble);
      this.#before.set(counter, count);
    }
    const requestsDropped = reflecting.counters.get('drop_socket_full');
    if (requestsDropped > this.#requestsDroppedBefore) troubles.add('socket_drops');
    this.#requestsDroppedBefore = requestsDropped;
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
