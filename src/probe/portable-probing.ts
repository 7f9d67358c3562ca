/** Probing and reflecting on the main thread, by Node.js' own sockets: where koffi or the kernel's stamps are not to be had. */

import type { IpAddress } from '../base/ip-address.ts';
import { LIMITS } from '../base/limits.ts';
import { createRing } from '../ring/layout.ts';
import { RingReader } from '../ring/reader.ts';
import { RingWriter } from '../ring/writer.ts';
import { HISTOGRAM_BUCKETS } from '../stats/histogram.ts';
import type { Clock } from '../base/clock.ts';
import { NS_PER_MS } from '../base/units.ts';
import { type DgramTransport, openDgramTransport } from './dgram-transport.ts';
import { Engine } from './engine.ts';
import { sessionsOfFamily } from './family-sessions.ts';
import { engineCounters, reflectorCounters } from './health.ts';
import type { ProbePlan, ReflectorPlan, SocketPlan } from './plan.ts';
import { openedSocket } from './opened-socket.ts';
import { PortableClock } from './portable-clock.ts';
import { type Probing, type Reflecting, sharedEstimate } from './probing.ts';
import { openRawSocketTransport } from './raw-socket-transport.ts';
import { ReflectedTally } from './reflected-tally.ts';
import { RefusingTransport } from './refusing-transport.ts';
import { SessionReflector } from './session-reflector.ts';
import type { Transport } from './transport.ts';

const EOPNOTSUPP = 95;

/**
 * Opens the sockets and ticks from then on. Rejects with syscall_failed when an address or port is not to be had;
 * `onFailure` hears of what goes wrong later, after which there are no more ticks.
 */
export async function startPortableProbing(
  plan: ProbePlan,
  onFailure: (error: unknown) => void,
  estimate = sharedEstimate(),
): Promise<Probing> {
  const clock = new PortableClock();
  const sockets = await openAll(plan.sockets, (socket) => openTransport(socket, clock));
  const ring = createRing(plan.paths.map((path) => path.capacity));
  const counters = engineCounters();
  const lateness = new Uint32Array(new SharedArrayBuffer(HISTOGRAM_BUCKETS * 4));
  const engine = new Engine({
    plan,
    ring: new RingWriter(ring),
    clock,
    transports: sockets.map(({ transport }) => transport),
    counters,
    lateness,
    estimate,
    random: Math.random,
  });
  const stopTicking = tickUntilStopped(engine, clock, onFailure);
  return {
    ring: new RingReader(ring),
    counters,
    lateness,
    estimate,
    sockets: sockets.map(({ transport, errno }, index) =>
      openedSocket(plan.sockets[index]?.kind ?? 'icmp', transport, errno),
    ),
    // Only the event loop tells what became of a packet, and by then it would be another plan's.
    change: null,
    stop() {
      stopTicking();
      engine.close();
      return Promise.resolve();
    },
  };
}

/** Opens the reflector's sockets; each packet is answered as soon as the event loop has read it. Rejects and fails as above. */
export async function startPortableReflecting(
  plan: ReflectorPlan,
  onFailure: (error: unknown) => void,
  estimate = sharedEstimate(),
): Promise<Reflecting> {
  const clock = new PortableClock();
  const counters = reflectorCounters();
  const tally = new ReflectedTally(plan.sessions.length, plan.windowS);
  // T2 is when the event loop reads a packet: what it has not read yet belongs to no window that has ended.
  tally.advanceHorizon(Number.POSITIVE_INFINITY);
  const open = async (address: IpAddress): Promise<{ transport: DgramTransport; address: IpAddress }> => {
    const options = { address, port: plan.port, payloadBytes: LIMITS.packetBytesMax, clock };
    return { transport: await openDgramTransport(options), address };
  };
  const sockets = await openAll(plan.addresses, open);
  for (const { transport, address } of sockets) {
    const { sessions, tallied } = sessionsOfFamily(plan.sessions, address);
    // node:dgram cannot set a DSCP: none may be asked for.
    const ofFamily = { ...plan, sessions, permittedDscp: [] };
    const parts = { plan: ofFamily, address, transport, clock, counters, tally, tallied, estimate };
    const reflector = new SessionReflector(parts);
    transport.onReadable = () => {
      try {
        reflector.turn();
        reflector.countDrops();
      } catch (error) {
        onFailure(error);
      }
    };
  }
  return {
    counters,
    tally,
    replan: null,
    stop() {
      for (const { transport } of sockets) transport.close();
      return Promise.resolve();
    },
  };
}

interface Opened {
  transport: Transport;
  errno: number;
}

async function openTransport(plan: SocketPlan, clock: Clock): Promise<Opened> {
  const { kind, address, port, dscp, payloadBytes } = plan;
  const refusing = (errno: number): Opened => ({
    transport: new RefusingTransport(errno, LIMITS.batchMessages, payloadBytes),
    errno,
  });
  if (kind === 'icmp') {
    const opened = await openRawSocketTransport({ address, identifier: port, dscp, payloadBytes, clock });
    return 'errno' in opened ? refusing(opened.errno) : { transport: opened, errno: 0 };
  }
  // node:dgram cannot set a DSCP, and best effort must not be reported as the class that was asked for.
  if (dscp !== 0) return refusing(EOPNOTSUPP);
  return { transport: await openDgramTransport({ address, port, payloadBytes, clock }), errno: 0 };
}

/** Opens one after the other; when one cannot be opened, those before it are closed again. */
async function openAll<Plan, Part extends { transport: Transport }>(
  plans: readonly Plan[],
  open: (plan: Plan) => Promise<Part>,
): Promise<Part[]> {
  const opened: Part[] = [];
  try {
    for (const plan of plans) opened.push(await open(plan));
  } catch (error) {
    for (const { transport } of opened) transport.close();
    throw error;
  }
  return opened;
}

/** Ticks whenever the engine asked for it; the function returned ends it. */
function tickUntilStopped(engine: Engine, clock: Clock, onFailure: (error: unknown) => void): () => void {
  let timer: NodeJS.Timeout;
  const turn = (): void => {
    try {
      const wakeNs = engine.tick();
      clock.read();
      // Timers count in whole milliseconds; one that fires early would find nothing due.
      timer = setTimeout(turn, Math.max(1, Math.ceil((wakeNs - clock.monoNs) / NS_PER_MS)));
    } catch (error) {
      onFailure(error);
    }
  };
  timer = setTimeout(turn, 1);
  return () => clearTimeout(timer);
}
