/** Asks the chronyd of this host how its clock does, over UDP on the loopback. */

import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { LIMITS } from '../base/limits.ts';
import { decodeTracking, encodeTrackingRequest } from './chrony-tracking.ts';
import type { ClockState } from './clock-state.ts';

/**
 * chronyd's account, or null when none comes within LIMITS.chronyAnswerMs: no chronyd, one that may not be asked, or an
 * answer that is none. The socket is connected, so a datagram from any other port is not even read.
 */
export async function askChrony(port: number): Promise<ClockState | null> {
  const sequence = randomInt(2 ** 32);
  const socket = createSocket({ type: 'udp4', signal: AbortSignal.timeout(LIMITS.chronyAnswerMs) });
  return new Promise((resolve) => {
    let state: ClockState | null = null;
    socket.on('close', () => resolve(state));
    // ECONNREFUSED, most often: nothing listens there.
    socket.on('error', () => socket.close());
    socket.on('message', (octets) => {
      state = decodeTracking(octets, sequence);
      socket.close();
    });
    socket.connect(port, '127.0.0.1', () => socket.send(encodeTrackingRequest(sequence)));
  });
}
