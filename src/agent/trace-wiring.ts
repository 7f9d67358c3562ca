/** Connects path traces to the rest of the agent: the peers of the mesh, real sockets, and the records. */

import { randomInt } from 'node:crypto';
import type { Logger } from 'pino';
import { type Clock, unixMsAt } from '../base/clock.ts';
import type { MeshConfig, MeshPop } from '../config/mesh-config.ts';
import type { SocketPlan } from '../probe/plan.ts';
import type { DocumentQueue } from './document-queue.ts';
import { type TraceTools, tracePath } from './path-trace.ts';
import { type TracePeer, Traces } from './traces.ts';

/** The largest ICMP identifier that net-ping can use. */
const IDENTIFIER_MAX = 65_534;

/**
 * Traces to the peers of a PoP, over raw sockets that are opened when one is due. `sockets` are those of its probes now.
 * Every trace that ends becomes a record.
 */
export function startTraces(
  peers: readonly TracePeer[],
  sockets: () => readonly SocketPlan[],
  { clock, documents, log }: { clock: Clock; documents: Pick<DocumentQueue, 'addEvent'>; log: Logger },
): Traces {
  const tools: TraceTools = {
    clock,
    // Loaded now and not before: a native module, which an agent whose pairs are all good never needs.
    async open(target) {
      const { TraceSession } = await import('./trace-session.ts');
      return new TraceSession(target, freeIdentifier(sockets()), clock);
    },
  };
  return new Traces({
    peers,
    clock,
    run: (target, signal) => tracePath(target, tools, signal),
    onEnded(trace) {
      clock.read();
      documents.addEvent({ kind: 'trace', trace }, unixMsAt(clock, clock.monoNs));
    },
    log,
  });
}

/** Whom the PoP can trace. */
export function tracePeers(mesh: MeshConfig, self: MeshPop): TracePeer[] {
  const peers = mesh.pops.filter((pop) => pop.id !== self.id);
  return peers.map(({ name, ipv4, ipv6 }) => ({ name, ipv4, ipv6 }));
}

/** A new one for each trace, so that late answers to one are not taken for the next one's, and none of the probes'. */
function freeIdentifier(sockets: readonly SocketPlan[]): number {
  for (;;) {
    const identifier = randomInt(1, IDENTIFIER_MAX + 1);
    if (!sockets.some(({ kind, port }) => kind === 'icmp' && port === identifier)) return identifier;
  }
}
