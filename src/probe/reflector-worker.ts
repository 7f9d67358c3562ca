/** The reflecting thread: waits for STAMP packets in a blocking poll, answers them at once, changes to another plan when asked. */

import { workerData } from 'node:worker_threads';
import type { IpAddress } from '../base/ip-address.ts';
import { LIMITS } from '../base/limits.ts';
import { Poller } from '../linux/poller.ts';
import { syscallError } from '../linux/libc.ts';
import { SystemClock } from '../linux/system-clock.ts';
import { sessionsOfFamily } from './family-sessions.ts';
import { reflectorCounters } from './health.ts';
import { changeKernelSockets, type KernelSocket, type KernelSocketPlan, openKernelSockets } from './kernel-sockets.ts';
import { KernelTransport } from './kernel-transport.ts';
import type { ReflectorPlan } from './plan.ts';
import { ReflectedTally } from './reflected-tally.ts';
import { SessionReflector } from './session-reflector.ts';
import { openOrReport, runUntilStopped, takeOut } from './worker-body.ts';

/** What the main thread hands over. */
export interface ReflectorWorkerData {
  plan: ReflectorPlan;
  counters: SharedArrayBuffer;
  tally: SharedArrayBuffer;
  estimate: Int32Array;
}

/** Another plan, see `Reflecting`. */
export interface ReflectorQuestion {
  plan: ReflectorPlan;
  tally: SharedArrayBuffer;
  kept: readonly number[];
}

/** What the thread works with; another plan replaces it. */
interface State {
  sockets: KernelSocket[];
  /** One for each socket. */
  reflectors: SessionReflector[];
  tally: ReflectedTally;
  poller: Poller;
  /** Number of each session among those of its family, for who comes after. */
  places: number[];
}

/** How often an idle reflector looks whether it should stop. */
const POLL_MS = 200;

const data = workerData as ReflectorWorkerData & { control: Int32Array };
const counters = reflectorCounters(data.counters);

function socketsOf({ addresses, port, followUp }: ReflectorPlan): KernelSocketPlan[] {
  return addresses.map((address) => ({
    kind: 'stamp',
    address,
    port,
    dscp: 0,
    payloadBytes: LIMITS.packetBytesMax,
    txStamps: followUp,
  }));
}

function startReflectors(
  plan: ReflectorPlan,
  sockets: KernelSocket[],
  tally: ReflectedTally,
  before?: { state: State; kept: readonly number[] },
): State {
  const places: number[] = [];
  const reflectors = sockets.map(({ plan: { address }, transport, errno }) => {
    if (errno !== 0) throw syscallError('socket', errno, 'allow this process to open UDP sockets');
    const { sessions, tallied } = sessionsOfFamily(plan.sessions, address);
    for (const [place, session] of tallied.entries()) places[session] = place;
    const predecessor = before && predecessorOf(before.state, before.kept, address, tallied);
    return new SessionReflector({
      plan: { ...plan, sessions },
      address,
      transport,
      clock: new SystemClock(),
      counters,
      tally,
      tallied,
      estimate: data.estimate,
      ...(predecessor && { before: predecessor }),
    });
  });
  const fds = sockets.flatMap(({ transport }) => (transport instanceof KernelTransport ? [transport.fd] : []));
  return { sockets, reflectors, tally, poller: new Poller(fds), places };
}

/** The reflector of the same family, with the number that each session of the family had there. */
function predecessorOf(
  state: State,
  kept: readonly number[],
  address: IpAddress,
  tallied: readonly number[],
): { reflector: SessionReflector; kept: number[] } | null {
  const index = state.sockets.findIndex((socket) => socket.plan.address.length === address.length);
  const reflector = state.reflectors[index];
  if (!reflector) return null;
  return { reflector, kept: tallied.map((session) => state.places[kept[session] ?? -1] ?? -1) };
}

function replan(state: State, { plan, tally: buffer, kept }: ReflectorQuestion): State {
  // What has arrived is answered by the old plan.
  for (const reflector of state.reflectors) {
    reflector.turn();
    reflector.countDrops();
  }
  const tally = new ReflectedTally(plan.sessions.length, plan.windowS, buffer);
  tally.continue(state.tally, kept);
  return startReflectors(plan, changeKernelSockets(state.sockets, socketsOf(plan)), tally, { state, kept });
}

const first = openOrReport(
  (): State => {
    const plan = takeOut(data, 'plan');
    const tally = new ReflectedTally(plan.sessions.length, plan.windowS, takeOut(data, 'tally'));
    return startReflectors(plan, openKernelSockets(socketsOf(plan)), tally);
  },
  () => null,
);

if (first) {
  let state = first;
  const clock = new SystemClock();
  let countedNs = 0;
  runUntilStopped(
    data.control,
    () => {
      state.poller.wait(POLL_MS);
      // A turn reads all that has arrived before it.
      clock.read();
      for (const reflector of state.reflectors) reflector.turn();
      if (clock.monoNs - countedNs >= LIMITS.blindnessCheckNs) {
        for (const reflector of state.reflectors) reflector.countDrops();
        countedNs = clock.monoNs;
      }
      state.tally.advanceHorizon(clock.wallSeconds);
    },
    (question) => {
      state = replan(state, question as ReflectorQuestion);
      return null;
    },
  );
  for (const { transport } of state.sockets) transport.close();
}
