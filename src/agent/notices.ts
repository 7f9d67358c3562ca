/** Says in one line what the host does not permit, and which command permits it. */

import { errnoSentence } from '../linux/errno.ts';
import type { OpenedSocket } from '../probe/probe-worker.ts';

/** A line for each kind of socket that the host refused; its probes are counted as refused, never as lost. */
export function notices(sockets: readonly OpenedSocket[]): string[] {
  const refused = new Map(sockets.filter((socket) => socket.errno !== 0).map((socket) => [socket.kind, socket.errno]));
  return [...refused].map(([kind, errno]) =>
    kind === 'icmp'
      ? `no ICMP probes, UDP goes on: ${errnoSentence(errno)}; ` +
        'enable them with: sysctl -w net.ipv4.ping_group_range="0 2147483647"'
      : `no STAMP probes: ${errnoSentence(errno)}`,
  );
}
