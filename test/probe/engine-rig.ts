/** An engine on a fake clock and a network in memory, with one STAMP or ICMP path, and its figures. */

import { Engine } from '../../src/probe/engine.ts';
import { engineCounters } from '../../src/probe/health.ts';
import type { PathPlan, ProbePlan } from '../../src/probe/plan.ts';
import { sharedEstimate } from '../../src/probe/probing.ts';
import { createRing, SLOT_FLAG, SLOT_STATE } from '../../src/ring/layout.ts';
import { RingReader } from '../../src/ring/reader.ts';
import { RingWriter } from '../../src/ring/writer.ts';
import { HISTOGRAM_BUCKETS } from '../../src/stats/histogram.ts';
import { encodeReflectorPacket, STAMP_BASE_BYTES } from '../../src/wire/stamp.ts';
import { differenceNs } from '../../src/wire/ntp-time.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryNetwork, type Reply, type Script, type SentPacket } from './memory-network.ts';

export const MS = 1_000_000;
const PEER = Uint8Array.of(198, 18, 0, 1);
const LOCAL = Uint8Array.of(198, 18, 0, 2);
export const PEER_PORT = 862;
export const TMAX_NS = 3000 * MS;

const CAPACITY = 1024;

export interface Rig {
  clock: FakeClock;
  network: MemoryNetwork;
  engine: Engine;
  reader: RingReader;
  counters: ReturnType<typeof engineCounters>;
  /** Lets time pass, ticking as the worker would; `sleepMs` is what the engine asked for. */
  run(ms: number): void;
  /** Outcomes of all probes so far, judged `afterMs` from now. */
  outcomes(afterMs?: number): Record<string, number>;
  /** Round trips of the received probes, ns, in send order: kernel T4 - T1. */
  roundTripsNs(): number[];
  flagged(bit: number): number;
}

export function rigOf(script: Script, kind: 'stamp' | 'icmp' = 'stamp', intervalMs = 100): Rig {
  const clock = new FakeClock();
  const network = new MemoryNetwork(clock, script);
  const path: PathPlan = {
    peer: 'sin1',
    floor: false,
    className: kind,
    kind,
    dscp: 0,
    sizeBytes: kind === 'stamp' ? STAMP_BASE_BYTES : 64,
    flow: 0,
    intervalNs: intervalMs * MS,
    address: PEER,
    port: kind === 'stamp' ? PEER_PORT : 0,
    echoPath: 0,
    ssid: kind === 'stamp' ? 33 : 0,
    keys: [],
    tlvs: [],
    reflector: 'stateful',
    socket: 0,
    capacity: CAPACITY,
  };
  const plan: ProbePlan = {
    session: 42,
    tmaxNs: TMAX_NS,
    tickNs: 5 * MS,
    schedule: 'periodic',
    windowS: 60,
    sockets: [{ kind, address: LOCAL, port: 18_620, dscp: 0, payloadBytes: 128 }],
    paths: [path],
  };
  const views = createRing([CAPACITY]);
  const counters = engineCounters();
  const lateness = new Uint32Array(HISTOGRAM_BUCKETS);
  const ring = new RingWriter(views);
  const engine = new Engine({
    plan,
    ring,
    clock,
    transports: [network],
    counters,
    lateness,
    estimate: sharedEstimate(),
    random: () => 0,
  });
  const reader = new RingReader(views);
  const slots = (): number[] => Array.from({ length: reader.head(0) }, (_, sequence) => reader.slotOf(0, sequence));
  return {
    clock,
    network,
    engine,
    reader,
    counters,
    run(ms) {
      clock.read();
      const endNs = clock.monoNs + ms * MS;
      while (clock.monoNs < endNs) {
        const wakeNs = engine.tick();
        clock.advance(Math.max(1000, Math.min(wakeNs, endNs) - clock.monoNs));
        clock.read();
      }
    },
    outcomes(afterMs = 0) {
      const counts: Record<string, number> = {};
      for (const slot of slots()) {
        const ageNs = clock.monoNs + afterMs * MS - (views.dueNs[slot] ?? 0);
        const outcome = reader.outcome(slot, ageNs, TMAX_NS);
        counts[outcome] = (counts[outcome] ?? 0) + 1;
      }
      return counts;
    },
    roundTripsNs() {
      return slots()
        .filter((slot) => views.state[slot] === SLOT_STATE.received)
        .map(
          (slot) =>
            differenceNs(
              views.t4Seconds[slot] ?? 0,
              views.t4Nanoseconds[slot] ?? 0,
              views.t1Seconds[slot] ?? 0,
              views.t1Nanoseconds[slot] ?? 0,
            ) - (views.txDeltaNs[slot] ?? 0),
        );
    },
    flagged(bit) {
      return slots().filter((slot) => ((views.flags[slot] ?? 0) & bit) !== 0).length;
    },
  };
}

/** What a STAMP reflector sends back, `residenceNs` after it received the packet. */
export function reflect(packet: SentPacket, afterNs: number, change: Partial<Reply> = {}): Reply {
  const octets = new Uint8Array(packet.octets.length);
  const request = new DataView(packet.octets.buffer);
  encodeReflectorPacket(new DataView(octets.buffer), 0, request, 0, {
    sequence: packet.index,
    t2: { seconds: 1_700_000_000, nanoseconds: 0 },
    t3: { seconds: 1_700_000_000, nanoseconds: 1000 },
    errorEstimate: 1,
    senderTtl: 255,
  });
  return { afterNs, address: PEER, port: PEER_PORT, octets, ...change };
}

/** What an echoing host sends back: type 0, checksum adjusted by 0x0800 (RFC 1624). */
export function echo(packet: SentPacket, afterNs: number): Reply {
  const octets = Uint8Array.from(packet.octets);
  const view = new DataView(octets.buffer);
  view.setUint8(0, 0);
  const sum = view.getUint16(2) + 0x0800;
  view.setUint16(2, (sum & 0xffff) + (sum >> 16));
  return { afterNs, address: PEER, port: 0, octets };
}

export { SLOT_FLAG };
