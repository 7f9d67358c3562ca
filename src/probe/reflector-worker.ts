/** The reflecting thread: waits for STAMP packets in a blocking poll and answers them at once. */

import { workerData } from 'node:worker_threads';
import { familyOf, type IpAddress } from '../base/ip-address.ts';
import { LIMITS } from '../base/limits.ts';
import { Poller } from '../linux/poller.ts';
import { tryOpenSocket } from '../linux/socket.ts';
import { syscallError } from '../linux/libc.ts';
import { SystemClock } from '../linux/system-clock.ts';
import { TimestampingSocket } from '../linux/timestamping-socket.ts';
import { sessionsOfFamily } from './family-sessions.ts';
import { reflectorCounters } from './health.ts';
import { KernelTransport } from './kernel-transport.ts';
import type { ReflectorPlan } from './plan.ts';
import { ReflectedTally } from './reflected-tally.ts';
import { SessionReflector } from './session-reflector.ts';
import { openOrReport, runUntilStopped } from './worker-body.ts';

/** What the main thread hands over. */
export interface ReflectorWorkerData {
  plan: ReflectorPlan;
  counters: SharedArrayBuffer;
  tally: SharedArrayBuffer;
  estimate: Int32Array;
}

/** How often an idle reflector looks whether it should stop. */
const POLL_MS = 200;

const data = workerData as ReflectorWorkerData & { control: Int32Array };

function openSocket(address: IpAddress): TimestampingSocket {
  const fd = tryOpenSocket('udp', familyOf(address));
  if (fd < 0) throw syscallError('socket', -fd, 'allow this process to open UDP sockets');
  return new TimestampingSocket(fd, {
    kind: 'udp',
    address,
    port: data.plan.port,
    dscp: 0,
    payloadBytes: LIMITS.packetBytesMax,
    txStamps: data.plan.followUp,
  });
}

const opened = openOrReport(
  () => {
    const counters = reflectorCounters(data.counters);
    const tally = new ReflectedTally(data.plan.sessions.length, data.plan.windowS, data.tally);
    const sockets: TimestampingSocket[] = [];
    const reflectors = data.plan.addresses.map((address) => {
      const socket = openSocket(address);
      sockets.push(socket);
      const { sessions, tallied } = sessionsOfFamily(data.plan.sessions, address);
      return new SessionReflector({
        plan: { ...data.plan, sessions },
        address,
        transport: new KernelTransport(socket),
        clock: new SystemClock(),
        counters,
        tally,
        tallied,
        estimate: data.estimate,
      });
    });
    return { sockets, reflectors, tally, poller: new Poller(sockets.map((socket) => socket.fd)) };
  },
  () => null,
);

if (opened) {
  const clock = new SystemClock();
  runUntilStopped(data.control, () => {
    opened.poller.wait(POLL_MS);
    // A turn reads all that has arrived before it.
    clock.read();
    for (const reflector of opened.reflectors) reflector.turn();
    opened.tally.advanceHorizon(clock.wallSeconds);
  });
  for (const socket of opened.sockets) socket.close();
}
