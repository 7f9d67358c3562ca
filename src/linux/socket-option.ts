/** Sets and reads options of sockets. */

import { Arena } from './arena.ts';
import { SK_MEMINFO_DROPS, SK_MEMINFO_RCVBUF, SK_MEMINFO_VARS, SO_MEMINFO, SOL_SOCKET } from './constants.ts';
import { libc, syscallError } from './libc.ts';

/** Sets an int option. Throws syscall_failed. */
export function setOption(fd: number, level: number, name: number, value: number): void {
  const errno = trySetOption(fd, level, name, value);
  if (errno === 0) return;
  throw syscallError(`setsockopt(${level}, ${name}, ${value})`, errno, 'use a supported kernel (5.4 or newer)');
}

/** Sets an int option; returns 0 or the errno. */
export function trySetOption(fd: number, level: number, name: number, value: number): number {
  const arena = new Arena(4);
  arena.view.setInt32(0, value, true);
  return libc().setsockopt(fd, level, name, arena.address(0), 4) === 0 ? 0 : libc().errno();
}

/**
 * Reads what a socket has room for, and how many datagrams the kernel has dropped because it was full, without allocating.
 * By SO_MEMINFO, which can be asked at any time: SO_RXQ_OVFL tells the same counter only with a datagram that arrives after
 * the drop, and when a burst of replies was the last there was, none does.
 */
export class SocketMemory {
  readonly #libc = libc();
  readonly #arena = new Arena(64);
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Datagrams dropped so far, modulo 2^32; 0 on a kernel that does not say (before 4.12). */
  readDrops(): number {
    return this.#read(SK_MEMINFO_DROPS);
  }

  /** Octets that may wait to be received, as the kernel accounts them: twice what was asked for, where it was granted. */
  readReceiveBuffer(): number {
    return this.#read(SK_MEMINFO_RCVBUF);
  }

  #read(variable: number): number {
    const { view, words } = this.#arena;
    const bytes = SK_MEMINFO_VARS * 4;
    view.setUint32(bytes, bytes, true);
    this.#libc.getsockopt(this.#fd, SOL_SOCKET, SO_MEMINFO, this.#arena.address(0), this.#arena.address(bytes));
    return words[variable] ?? 0;
  }
}
