/** Connects path traces to the rest of the agent: the peers of the mesh, real sockets, and pairs that turn bad. */

import { randomInt } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../base/clock.ts';
import { PopprobeError } from '../base/errors.ts';
import type { MeshConfig, MeshPop } from '../config/mesh-config.ts';
import type { SocketPlan } from '../probe/plan.ts';
import type { PairWatch } from './pair-watch.ts';
import { type TraceTools, tracePath } from './path-trace.ts';
import { type TracePeer, Traces } from './traces.ts';

/** The largest ICMP identifier that net-ping can use. */
const IDENTIFIER_MAX = 65_534;

/** Traces to the peers of a PoP, over raw sockets that are opened when one is due. `sockets` are those of its probes now. */
export function startTraces(
  peers: readonly TracePeer[],
  sockets: () => readonly SocketPlan[],
  clock: Clock,
  log: Logger,
): Traces {
  const tools: TraceTools = {
    clock,
    // Loaded now and not before: a native module, which an agent whose pairs are all good never needs.
    async open(target) {
      const { TraceSession } = await import('./trace-session.ts');
      return new TraceSession(target, freeIdentifier(sockets()), clock);
    },
  };
  return new Traces({ peers, clock, run: (target, signal) => tracePath(target, tools, signal), log });
}

/** Whom the PoP can trace. */
export function tracePeers(mesh: MeshConfig, self: MeshPop): TracePeer[] {
  const peers = mesh.pops.filter((pop) => pop.id !== self.id);
  return peers.map(({ name, ipv4, ipv6 }) => ({ name, ipv4, ipv6 }));
}

/** Has the route to every pair traced that has turned bad since the last look. Called each second. */
export function followPairs(pairs: PairWatch, traces: Traces, log: Logger): void {
  for (const { peer, state, family } of pairs.turn()) {
    if (state === 'good') {
      log.info({ peer }, 'the pair is good again');
      traces.pairGood(peer);
      continue;
    }
    log.warn({ peer, family }, 'the pair has turned bad');
    try {
      traces.pairBad(peer, family);
    } catch (error) {
      if (!(error instanceof PopprobeError)) throw error;
      log.info({ peer, reason: error.message }, 'no path trace now');
    }
  }
}

/** A new one for each trace, so that late answers to one are not taken for the next one's, and none of the probes'. */
function freeIdentifier(sockets: readonly SocketPlan[]): number {
  for (;;) {
    const identifier = randomInt(1, IDENTIFIER_MAX + 1);
    if (!sockets.some(({ kind, port }) => kind === 'icmp' && port === identifier)) return identifier;
  }
}
