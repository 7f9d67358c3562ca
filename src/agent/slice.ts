/** Long work on the main thread in slices, between which everything else gets its turn. */

import { setImmediate as othersTurn } from 'node:timers/promises';
import { LIMITS } from '../base/limits.ts';

export class Slice {
  #sinceMs = performance.now();

  /** Whether it is time to `rest`. Cheap enough to be asked for every file of a folder. */
  get isOver(): boolean {
    return performance.now() - this.#sinceMs >= LIMITS.folderSliceMs;
  }

  /** Lets others run, and begins the next slice. */
  async rest(): Promise<void> {
    await othersTurn();
    this.#sinceMs = performance.now();
  }
}
