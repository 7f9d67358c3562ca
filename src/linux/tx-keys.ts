/** Remembers which packet each outstanding TX stamp belongs to: the kernel names packets by a key, callers by a cookie. */

/** Packets whose TX stamp may be outstanding: stamps are read right after each batch of at most 64. */
const TABLE = 2048;

export class TxKeys {
  #next = 0;
  readonly #keys = new Int32Array(TABLE).fill(-1);
  readonly #cookies = new Int32Array(TABLE);

  /** Gives the next packet its key. */
  remember(cookie: number): number {
    const key = this.#next;
    const at = key & (TABLE - 1);
    this.#keys[at] = key | 0;
    this.#cookies[at] = cookie;
    this.#next = (key + 1) >>> 0;
    return key;
  }

  /** The slot of an outstanding key, or -1 when no packet we remember has it; each key is good for one stamp. */
  take(key: number): number {
    const at = key & (TABLE - 1);
    if (this.#keys[at] !== (key | 0)) return -1;
    this.#keys[at] = -1;
    return at;
  }

  /** The cookie of a slot that `take` has returned. */
  cookieAt(slot: number): number {
    return this.#cookies[slot] ?? 0;
  }

  /** Whether no packet has had this key yet: the kernel, if it counts, is ahead of us. */
  isAhead(key: number): boolean {
    return ((key - this.#next) | 0) >= 0;
  }

  /** Goes on half the numbers further, where no packet that the kernel has counted can be. */
  leap(): void {
    this.#next = (this.#next ^ 0x8000_0000) >>> 0;
  }

  /** Forgets all packets: whoever their cookies meant something to has gone. */
  forget(): void {
    this.#keys.fill(-1);
  }

  /** Forgets all packets and counts from 0 again, as the kernel does after OPT_ID was switched off and on. */
  reset(): void {
    this.forget();
    this.#next = 0;
  }
}
