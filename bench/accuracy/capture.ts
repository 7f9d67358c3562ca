/** The truth: captures of what arrives at either end of the veth pair, and the round trip between them. */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { differenceNs } from '../../src/wire/ntp-time.ts';
import { FAR, FAR_DEVICE, NEAR, NEAR_DEVICE } from '../namespaces.ts';
import { type Probed, readCapture, type Seen } from './pcap.ts';
import { type RunningProgram, start } from '../processes.ts';

/** The kernel hands a block of packets over when it is full, or after a timeout of 1 s. */
const DRAIN_MS = 1500;

interface End {
  program: RunningProgram;
  file: string;
}

export class Capture {
  readonly #near: End;
  readonly #far: End;

  private constructor(near: End, far: End) {
    this.#near = near;
    this.#far = far;
  }

  /** Captures at both ends from now on, into files of `folder`. */
  static async start(folder: string): Promise<Capture> {
    const [near, far] = await Promise.all([
      listen(NEAR, NEAR_DEVICE, join(folder, 'near.pcap')),
      listen(FAR, FAR_DEVICE, join(folder, 'far.pcap')),
    ]);
    return new Capture(near, far);
  }

  /** Ends the capture; nothing is on its way any more. */
  async stop(): Promise<void> {
    await sleep(DRAIN_MS);
    await Promise.all([end(this.#near), end(this.#far)]);
  }

  /** The round trip of each probe by its number, ns: arrival of its reply here minus arrival of itself there. */
  roundTrips(probed: Probed): Map<number, number> {
    const requests = readCapture(this.#far.file, probed).filter((seen) => !seen.isReply);
    const replies = readCapture(this.#near.file, probed).filter((seen) => seen.isReply);
    const arrived = new Map(requests.map((request) => [request.sequence, request]));
    return new Map(
      replies.flatMap((reply): [number, number][] => {
        const request = arrived.get(reply.sequence);
        return request ? [[reply.sequence, sinceNs(request, reply)]] : [];
      }),
    );
  }
}

/** Arriving packets only (-Q in): a packet on its way out is captured before the device has it. */
async function listen(namespace: string, device: string, file: string): Promise<End> {
  const args = ['-i', device, '-Q', 'in', '-n', '-Z', 'root', '--time-stamp-precision=nano', '-B', '8192', '-w', file];
  const program = start({ namespace, command: 'tcpdump', args: [...args, 'icmp', 'or', 'icmp6', 'or', 'udp'] });
  await program.wrote(/listening on/);
  return { program, file };
}

async function end({ program }: End): Promise<void> {
  const { stderr } = await program.stop('SIGINT');
  if (!/^0 packets dropped by kernel/m.test(stderr)) throw new Error(`the capture is not complete: ${stderr}`);
}

function sinceNs(request: Seen, reply: Seen): number {
  return differenceNs(reply.seconds, reply.nanoseconds, request.seconds, request.nanoseconds);
}
