/** An unconnected TCP socket, for Node.js to go on with: its network namespace is the one in which it was made. */

import type { IpFamily } from '../base/ip-address.ts';
import { AF_INET, AF_INET6, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM } from './constants.ts';
import { libc, syscallError } from './libc.ts';

/** Returns the descriptor. Throws syscall_failed. */
export function openStreamSocket(family: IpFamily): number {
  const fd = libc().socket(family === 'ipv4' ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw syscallError('socket', libc().errno(), 'let this process open more files');
  return fd;
}
