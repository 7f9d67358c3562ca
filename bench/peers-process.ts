/** Child program: the reflectors of many PoPs in one process, each on its own address, so that an agent has peers. */

import { SystemClock } from '../src/linux/system-clock.ts';
import { reflectorCounters } from '../src/probe/health.ts';
import { openKernelTransport } from '../src/probe/kernel-transport.ts';
import { sharedEstimate } from '../src/probe/probing.ts';
import type { ReflectorPlan } from '../src/probe/plan.ts';
import { ReflectedTally } from '../src/probe/reflected-tally.ts';
import { SessionReflector } from '../src/probe/session-reflector.ts';

export interface PeersRequest {
  plans: ReflectorPlan[];
  payloadBytes: number;
}

/** Each turn reads all sockets; an answer may be this late, which the reflector's own stamps account for. */
const TURN_MS = 10;

function open(plan: ReflectorPlan, payloadBytes: number): SessionReflector {
  const { port } = plan;
  const [address] = plan.addresses;
  if (!address) throw new Error('a plan with an address expected');
  const transport = openKernelTransport(['udp'], { address, port, dscp: 0, payloadBytes, txStamps: false });
  if ('refusals' in transport) throw new Error('no UDP socket is to be had here');
  const parts = { plan, address, transport, clock: new SystemClock(), counters: reflectorCounters() };
  const tally = new ReflectedTally(plan.sessions.length, plan.windowS);
  return new SessionReflector({ ...parts, tally, tallied: [...plan.sessions.keys()], estimate: sharedEstimate() });
}

process.once('message', (message) => {
  const { plans, payloadBytes } = message as PeersRequest;
  const reflectors = plans.map((plan) => open(plan, payloadBytes));
  setInterval(() => {
    for (const reflector of reflectors) reflector.turn();
  }, TURN_MS);
  process.send?.({ type: 'ready' });
});
// The end of the run, or of the process that started this one.
process.once('disconnect', () => process.exit(0));
