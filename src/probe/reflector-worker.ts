/** The reflecting thread: waits for STAMP packets in a blocking poll and answers them at once. */

import { workerData } from 'node:worker_threads';
import { LIMITS } from '../base/limits.ts';
import { tryOpenSocket } from '../linux/socket.ts';
import { syscallError } from '../linux/libc.ts';
import { SystemClock } from '../linux/system-clock.ts';
import { TimestampingSocket } from '../linux/timestamping-socket.ts';
import { reflectorCounters } from './health.ts';
import { KernelTransport } from './kernel-transport.ts';
import type { ReflectorPlan } from './plan.ts';
import { SessionReflector } from './session-reflector.ts';
import { openOrReport, runUntilStopped } from './worker-body.ts';

/** What the main thread hands over. */
export interface ReflectorWorkerData {
  plan: ReflectorPlan;
  counters: SharedArrayBuffer;
}

/** How often an idle reflector looks whether it should stop. */
const POLL_MS = 200;

const data = workerData as ReflectorWorkerData & { control: Int32Array };

const opened = openOrReport(
  () => {
    const fd = tryOpenSocket('udp');
    if (fd < 0) throw syscallError('socket', -fd, 'allow this process to open UDP sockets');
    const socket = new TimestampingSocket(fd, {
      kind: 'udp',
      address: data.plan.address,
      port: data.plan.port,
      dscp: 0,
      payloadBytes: LIMITS.packetBytesMax,
      txStamps: false,
    });
    const transport = new KernelTransport(socket);
    const counters = reflectorCounters(data.counters);
    return { socket, reflector: new SessionReflector(data.plan.sessions, transport, new SystemClock(), counters) };
  },
  () => null,
);

if (opened) {
  runUntilStopped(data.control, () => {
    opened.socket.waitReadable(POLL_MS);
    opened.reflector.turn();
  });
  opened.socket.close();
}
