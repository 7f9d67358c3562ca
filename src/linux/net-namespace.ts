/** Does something in another network namespace: what a thread opens there stays there. */

import { closeSync, openSync } from 'node:fs';
import { CLONE_NEWNET } from './constants.ts';
import { libc, syscallError } from './libc.ts';

/** Where iproute2 keeps the namespaces that have a name. */
const NAMED = '/run/netns';
const OWN = '/proc/thread-self/ns/net';
const REMEDY = 'run as root, with CAP_SYS_ADMIN';

/**
 * Runs `action` with this thread in the namespace `name` of `ip netns`, and returns to its own. Nothing asynchronous
 * belongs into `action`: what comes later runs where the thread is then.
 *
 * @throws PopprobeError syscall_failed when the namespace cannot be entered; an Error of node:fs when it is not there
 */
export function inNetNamespace<Result>(name: string, action: () => Result): Result {
  const own = openSync(OWN, 'r');
  try {
    const other = openSync(`${NAMED}/${name}`, 'r');
    try {
      enter(other, name);
      return action();
    } finally {
      enter(own, 'this thread came from');
      closeSync(other);
    }
  } finally {
    closeSync(own);
  }
}

function enter(fd: number, name: string): void {
  if (libc().setns(fd, CLONE_NEWNET) !== 0) {
    throw syscallError(`setns to the network namespace ${name}`, libc().errno(), REMEDY);
  }
}
