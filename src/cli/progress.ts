/** Shows how far long work on documents is, and when it will be done: redrawn on a terminal, elsewhere a line now and then. */

import { MS_PER_S } from '../base/units.ts';
import { formatAge } from './format.ts';
import { Screen } from './screen.ts';

/** People read no faster, and drawing takes time from the work. */
const SHOW_EVERY_MS = 200;
/** In a log: often enough to see that it goes on, and no flood. */
const LINE_EVERY_MS = 10_000;

/** Standard output, where results go, and standard error, where progress is shown. */
export interface Streams {
  readonly out: NodeJS.WriteStream;
  readonly err: NodeJS.WriteStream;
}

export class Progress {
  readonly #screen: Screen;
  readonly #nowMs: () => number;
  readonly #doing: string;
  readonly #startedMs: number;
  readonly #everyMs: number;
  #shownMs: number;

  /**
   * @param err standard error: what the command is asked for goes to standard output, and nothing else does
   * @param doing what is done to documents, as in "verifying"
   */
  constructor(err: NodeJS.WriteStream, nowMs: () => number, doing: string) {
    this.#doing = doing;
    this.#screen = new Screen(err);
    this.#nowMs = nowMs;
    this.#startedMs = nowMs();
    this.#shownMs = this.#startedMs;
    this.#everyMs = this.#screen.isLive ? SHOW_EVERY_MS : LINE_EVERY_MS;
  }

  /** @param trouble what holds it up, in words; null when nothing does */
  update(documents: number, doneRatio: number, trouble: string | null = null): void {
    const now = this.#nowMs();
    if (now - this.#shownMs < this.#everyMs) return;
    this.#shownMs = now;
    const line = progressLine(this.#doing, documents, doneRatio, now - this.#startedMs);
    this.#screen.show([trouble === null ? line : `${line}; ${trouble}`]);
  }

  /** Makes room for the result. */
  end(): void {
    this.#screen.clear();
  }
}

/** The rest takes as long as what is done has taken. */
export function progressLine(doing: string, documents: number, doneRatio: number, elapsedMs: number): string {
  const done = `${doing}: ${documents} documents, ${Math.floor(doneRatio * 100)} %`;
  if (doneRatio <= 0) return done;
  const leftS = Math.ceil((elapsedMs * (1 - doneRatio)) / doneRatio / MS_PER_S);
  return `${done}, about ${formatAge(leftS)} left`;
}
