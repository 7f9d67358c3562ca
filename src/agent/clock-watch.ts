/** Keeps the newest state of this host's clock at hand for whoever writes it down. */

import type { Logger } from 'pino';
import { LIMITS } from '../base/limits.ts';
import { type ClockState, UNKNOWN_CLOCK } from '../linux/clock-state.ts';
import type { ClockStateReader } from '../linux/clock-state-reader.ts';

export class ClockWatch {
  readonly #reader: Pick<ClockStateReader, 'read'>;
  readonly #log: Logger;
  readonly #onState: (state: ClockState) => void;
  #state = UNKNOWN_CLOCK;
  /** The state that the log has. */
  #logged: ClockState | null = null;
  #timer: NodeJS.Timeout | undefined;
  #refreshing: Promise<void>;

  private constructor(reader: Pick<ClockStateReader, 'read'>, log: Logger, onState: (state: ClockState) => void) {
    this.#reader = reader;
    this.#log = log;
    this.#onState = onState;
    this.#refreshing = this.#refresh();
  }

  /** Asks once, and every LIMITS.clockStateEveryMs until `stop`; `onState` hears each answer. */
  static async start(
    reader: Pick<ClockStateReader, 'read'>,
    log: Logger,
    onState: (state: ClockState) => void,
  ): Promise<ClockWatch> {
    const watch = new ClockWatch(reader, log, onState);
    await watch.#refreshing;
    watch.#timer = setInterval(() => {
      watch.#refreshing = watch.#refresh();
    }, LIMITS.clockStateEveryMs);
    return watch;
  }

  /** What the host said of its clock when it was last asked. */
  get state(): ClockState {
    return this.#state;
  }

  /** Asks no more; resolves when the last answer is in. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#refreshing;
  }

  async #refresh(): Promise<void> {
    try {
      this.#state = await this.#reader.read();
    } catch (error) {
      this.#state = UNKNOWN_CLOCK;
      this.#log.error({ err: error }, 'the state of the clock cannot be read');
    }
    this.#onState(this.#state);
    this.#report();
  }

  /** Logs the first state and every change, so that the log says since when the clock cannot be relied upon. */
  #report(): void {
    const { synchronised, source } = this.#state;
    if (this.#logged?.synchronised === synchronised && this.#logged.source === source) return;
    this.#logged = this.#state;
    if (synchronised === true) this.#log.info({ source }, 'the clock is synchronised');
    else if (synchronised === false) this.#log.warn({ source }, 'the clock is not synchronised');
    else this.#log.warn('nobody on this host says whether the clock is synchronised');
  }
}
