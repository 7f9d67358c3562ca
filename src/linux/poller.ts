/** Blocks a thread until one of its sockets has something to read. */

import { Arena } from './arena.ts';
import { LAYOUT, POLLIN } from './constants.ts';
import { libc } from './libc.ts';

export class Poller {
  readonly #libc = libc();
  readonly #arena: Arena;
  readonly #count: number;

  constructor(fds: readonly number[]) {
    const { size, fd, events } = LAYOUT.pollfd;
    this.#count = fds.length;
    this.#arena = new Arena(fds.length * size);
    for (const [index, descriptor] of fds.entries()) {
      this.#arena.view.setInt32(index * size + fd, descriptor, true);
      this.#arena.view.setInt16(index * size + events, POLLIN, true);
    }
  }

  /** Returns as soon as anything can be read, an error of the queue included, or after `timeoutMs`. */
  wait(timeoutMs: number): void {
    this.#libc.poll(this.#arena.address(0), this.#count, timeoutMs);
  }
}
