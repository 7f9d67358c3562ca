/** Says in one line each what the host does not permit, and which command permits it. */

import { LIMITS } from '../base/limits.ts';
import { errnoSentence } from '../linux/errno.ts';
import type { OpenedSocket } from '../probe/opened-socket.ts';

const EPERM = 1;
const EACCES = 13;
const ENABLE_ICMP = 'enable them with: sysctl -w net.ipv4.ping_group_range="0 2147483647"';

/** A line for each kind of socket that the host refused, and one for a receive buffer that it made smaller. */
export function notices(sockets: readonly OpenedSocket[]): string[] {
  return [...refusals(sockets), ...smallBuffer(sockets)];
}

/** Probes of a refused kind are counted as refused, never as lost. */
function refusals(sockets: readonly OpenedSocket[]): string[] {
  const refused = new Map(sockets.filter((socket) => socket.errno !== 0).map((socket) => [socket.kind, socket.errno]));
  return [...refused].map(([kind, errno]) => {
    const others = sockets.some((socket) => socket.kind !== kind && socket.errno === 0) ? ', the others go on' : '';
    const line = `this host refuses ${kind.toUpperCase()} probes${others}: ${errnoSentence(errno)}`;
    return kind === 'icmp' && (errno === EPERM || errno === EACCES) ? `${line}; ${ENABLE_ICMP}` : line;
  });
}

/** Linux accounts twice what it has granted: less than was asked for was cut by its limit. */
function smallBuffer(sockets: readonly OpenedSocket[]): string[] {
  const asked = LIMITS.receiveBufferBytes;
  const smallest = Math.min(...sockets.map(({ receiveBufferBytes }) => receiveBufferBytes ?? asked));
  if (smallest >= asked) return [];
  const kib = (bytes: number): string => `${Math.floor(bytes / 1024)} KiB`;
  return [
    `this host has a receive buffer of ${kib(smallest)} where ${kib(asked)} were asked for: when a burst of replies ` +
      `does not fit, probes are void; grant CAP_NET_ADMIN, or: sysctl -w net.core.rmem_max=${asked}`,
  ];
}
