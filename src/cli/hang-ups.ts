/** SIGHUP as the wish that a daemon reads its configuration again: one that comes while it starts is kept for later. */

export class HangUps {
  #reload: (() => void) | null = null;
  #isEarly = false;

  /** From here on a SIGHUP does not end the process. */
  constructor() {
    process.on('SIGHUP', () => {
      if (this.#reload) this.#reload();
      else this.#isEarly = true;
    });
  }

  /** The daemon runs, and can be told. */
  tell(reload: () => void): void {
    this.#reload = reload;
    if (this.#isEarly) reload();
  }
}
