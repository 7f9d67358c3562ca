/** Blocks a thread until one of its sockets has something to read. */

import { NS_PER_S } from '../base/units.ts';
import { Arena } from './arena.ts';
import { LAYOUT, POLLIN } from './constants.ts';
import { libc } from './libc.ts';

export class Poller {
  readonly #libc = libc();
  readonly #arena: Arena;
  readonly #count: number;
  /** Offset in the arena of the timeout of `waitNs`. */
  readonly #timeout: number;

  constructor(fds: readonly number[]) {
    const { size, fd, events } = LAYOUT.pollfd;
    this.#count = fds.length;
    this.#arena = new Arena(fds.length * size + 2 * LAYOUT.timespec.size);
    this.#arena.take(fds.length * size);
    this.#timeout = this.#arena.take(LAYOUT.timespec.size);
    for (const [index, descriptor] of fds.entries()) {
      this.#arena.view.setInt32(index * size + fd, descriptor, true);
      this.#arena.view.setInt16(index * size + events, POLLIN, true);
    }
  }

  /** Returns as soon as anything can be read, an error of the queue included, or after `timeoutMs`. */
  wait(timeoutMs: number): void {
    this.#libc.poll(this.#arena.address(0), this.#count, timeoutMs);
  }

  /** As `wait`, for less than a ms. Returns whether anything can be read. */
  waitNs(timeoutNs: number): boolean {
    const { words } = this.#arena;
    const seconds = Math.floor(timeoutNs / NS_PER_S);
    words[this.#timeout >> 2] = seconds;
    words[(this.#timeout >> 2) + 2] = timeoutNs - seconds * NS_PER_S;
    return this.#libc.ppoll(this.#arena.address(0), this.#count, this.#arena.address(this.#timeout), 0) > 0;
  }

  /** Whether the descriptor in this place had something to read when the last wait ended. */
  isReadable(index: number): boolean {
    const { size, revents } = LAYOUT.pollfd;
    return this.#arena.view.getInt16(index * size + revents, true) !== 0;
  }
}
