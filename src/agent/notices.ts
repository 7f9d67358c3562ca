/** Says in one line what the host does not permit, and which command permits it. */

import { errnoSentence } from '../linux/errno.ts';
import type { OpenedSocket } from '../probe/probe-worker.ts';

const EPERM = 1;
const EACCES = 13;
const ENABLE_ICMP = 'enable them with: sysctl -w net.ipv4.ping_group_range="0 2147483647"';

/** A line for each kind of socket that the host refused; its probes are counted as refused, never as lost. */
export function notices(sockets: readonly OpenedSocket[]): string[] {
  const refused = new Map(sockets.filter((socket) => socket.errno !== 0).map((socket) => [socket.kind, socket.errno]));
  return [...refused].map(([kind, errno]) => {
    const others = sockets.some((socket) => socket.kind !== kind && socket.errno === 0) ? ', the others go on' : '';
    const line = `this host refuses ${kind.toUpperCase()} probes${others}: ${errnoSentence(errno)}`;
    return kind === 'icmp' && (errno === EPERM || errno === EACCES) ? `${line}; ${ENABLE_ICMP}` : line;
  });
}
