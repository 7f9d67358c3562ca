/** Shows how far long work on documents is, and when it will be done: redrawn on a terminal, in a pipe at most now and then a line. */

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
  readonly #everyMs: number;
  #shownMs: number;

  /**
   * @param doing what is done to documents, as in "verifying"
   * @param pipeEveryMs time between two lines in a pipe; without it nothing is shown there before the end
   */
  constructor(out: NodeJS.WriteStream, nowMs: () => number, doing: string, pipeEveryMs = Number.POSITIVE_INFINITY) {
    this.#doing = doing;
    this.#screen = new Screen(out);
    this.#nowMs = nowMs;
    this.#startedMs = nowMs();
    this.#shownMs = this.#startedMs;
    this.#everyMs = this.#screen.isLive ? SHOW_EVERY_MS : pipeEveryMs;
  }

  update(documents: number, doneRatio: number): void {
    const now = this.#nowMs();
    if (now - this.#shownMs < this.#everyMs) return;
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
