/** Shows on a terminal how far long work on documents is, and when it will be done. */

import { MS_PER_S } from '../base/units.ts';
import { formatAge } from './format.ts';
import { Screen } from './screen.ts';

/** People read no faster, and drawing takes time from the work. */
const SHOW_EVERY_MS = 200;

export class Progress {
  readonly #screen: Screen;
  readonly #nowMs: () => number;
  readonly #doing: string;
  readonly #startedMs: number;
  #shownMs: number;

  /** @param doing what is done to documents, as in "verifying" */
  constructor(out: NodeJS.WriteStream, nowMs: () => number, doing: string) {
    this.#doing = doing;
    this.#screen = new Screen(out);
    this.#nowMs = nowMs;
    this.#startedMs = nowMs();
    this.#shownMs = this.#startedMs;
  }

  /** In a pipe nothing is shown before the end. */
  update(documents: number, doneRatio: number): void {
    const now = this.#nowMs();
    if (!this.#screen.isLive || now - this.#shownMs < SHOW_EVERY_MS) return;
    this.#shownMs = now;
    this.#screen.show([progressLine(this.#doing, documents, doneRatio, now - this.#startedMs)]);
  }

  /** Shows the result instead. */
  end(lines: readonly string[]): void {
    this.#screen.show(lines);
  }
}

/** The rest takes as long as what is done has taken. */
export function progressLine(doing: string, documents: number, doneRatio: number, elapsedMs: number): string {
  const done = `${doing}: ${documents} documents, ${Math.floor(doneRatio * 100)} %`;
  if (doneRatio <= 0) return done;
  const leftS = Math.ceil((elapsedMs * (1 - doneRatio)) / doneRatio / MS_PER_S);
  return `${done}, about ${formatAge(leftS)} left`;
}
