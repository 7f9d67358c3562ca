/** A reflector whose kernel refuses some of its replies: what it counts, and how it numbers the others. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIp } from '../../src/linux/ip-text.ts';
import { reflectorCounters } from '../../src/probe/health.ts';
import { sharedEstimate } from '../../src/probe/probing.ts';
import { ReflectedTally } from '../../src/probe/reflected-tally.ts';
import { SessionReflector } from '../../src/probe/session-reflector.ts';
import type { Transport, TransportEvents } from '../../src/probe/transport.ts';
import { STAMP_SOURCE } from '../../src/ring/layout.ts';
import { FakeClock } from './fake-clock.ts';

const SENDER = parseIp('198.18.0.1');
const REFLECTOR = parseIp('198.18.0.2');
const WINDOW_S = 60;
const ARRIVED_S = 1_700_000_000;
const START_S = ARRIVED_S - (ARRIVED_S % WINDOW_S);
const STRIDE = 2048;
const ENOBUFS = 105;

/** Hands the reflector what is in `requests`, and takes the replies that are not refused. */
class ScriptedTransport implements Transport {
  readonly name = 'scripted';
  readonly outgoing;
  readonly requests: { ssid: number }[] = [];
  /** Whether the kernel refuses the next replies, one after another. */
  readonly refusals: boolean[] = [];
  /** SSID and Sequence Number of each reply that left. */
  readonly replies: [number, number][] = [];

  constructor(batch: number) {
    const arena = { view: new DataView(new ArrayBuffer(batch * STRIDE)) };
    this.outgoing = { count: batch, arena, payload: (message: number) => message * STRIDE };
  }

  readDrops(): number {
    return 0;
  }

  prepare(): void {
    // Every reply goes where its request came from.
  }

  send(count: number, cookies: Int32Array, events: TransportEvents): void {
    const { view } = this.outgoing.arena;
    for (let message = 0; message < count; message += 1) {
      const offset = this.outgoing.payload(message);
      if (this.refusals.shift() === true) {
        events.onRefused(cookies[message] ?? 0, ENOBUFS);
      } else {
        this.replies.push([view.getUint16(offset + 14), view.getUint32(offset)]);
        events.onSent(cookies[message] ?? 0);
      }
    }
  }

  receive(events: TransportEvents): void {
    for (const { ssid } of this.requests.splice(0)) {
      const view = new DataView(new ArrayBuffer(44));
      view.setUint16(12, 0x8001);
      view.setUint16(14, ssid);
      const source = { address: SENDER, addressBytes: 4, port: 18_620 };
      const stamped = { stamped: true, stampSource: STAMP_SOURCE.kernel };
      const arrival = { truncated: false, source, ...stamped, seconds: ARRIVED_S, nanoseconds: 0, ttl: 255, tos: 0 };
      events.onDatagram({ view, offset: 0, length: 44, ...arrival });
    }
  }

  close(): void {
    this.requests.length = 0;
  }
}

function rigOf(batch: number) {
  const transport = new ScriptedTransport(batch);
  const tally = new ReflectedTally(3, WINDOW_S);
  const counters = reflectorCounters();
  const session = { address: SENDER, port: 18_620, keys: [] };
  const reflector = new SessionReflector({
    plan: {
      sessions: [1, 2].map((ssid) => ({ ...session, ssid })),
      mode: 'stateful',
      packetsPerSecond: 10_000,
      permittedDscp: [],
      port: 862,
    },
    address: REFLECTOR,
    transport,
    clock: new FakeClock(),
    counters,
    tally,
    // Of a reflector of another family: session 0.
    tallied: [1, 2],
    estimate: sharedEstimate(),
  });
  /** These requests arrive at once; `refused` says of each reply whether the kernel refuses it. */
  const turn = (ssids: readonly number[], refused: readonly boolean[] = []): void => {
    transport.requests.push(...ssids.map((ssid) => ({ ssid })));
    transport.refusals.push(...refused);
    reflector.turn();
    transport.refusals.length = 0;
  };
  return { transport, tally, counters, turn };
}

/** The Sequence Numbers of the replies that left, of one session. */
function numbersOf({ replies }: ScriptedTransport, ssid: number): number[] {
  return replies.filter(([of]) => of === ssid).map(([, number]) => number);
}

describe('a refused reply', () => {
  it('is no reply: the request was received, and the next reply has its number', () => {
    const { transport, tally, counters, turn } = rigOf(8);
    turn([1]);
    turn([1, 2], [true, false]);
    turn([1, 2]);
    expect(numbersOf(transport, 1)).toEqual([0, 1]);
    expect(numbersOf(transport, 2)).toEqual([0, 1]);
    expect([0, 1, 2].map((session) => tally.read(session, START_S))).toEqual([
      { received: 0, replied: 0 },
      { received: 3, replied: 2 },
      { received: 2, replied: 2 },
    ]);
    expect([counters.get('reflected'), counters.get('drop_not_sent')]).toEqual([4, 1]);
  });

  it('leaves a gap only where a later reply of its session has left in the same batch', () => {
    const { transport, turn } = rigOf(8);
    turn([1, 1, 1], [true, true, true]);
    turn([1, 1, 1], [true, false, true]);
    turn([1]);
    expect(numbersOf(transport, 1)).toEqual([1, 2]);
  });

  it('never makes a number go out twice, and leaves no gap in batches of one', () => {
    const packet = fc.record({ ssid: fc.constantFrom(1, 2), refused: fc.boolean() });
    const turns = fc.array(fc.array(packet, { maxLength: 12 }), { maxLength: 20 });
    fc.assert(
      fc.property(fc.constantFrom(1, 4, 16), turns, (batch, script) => {
        const { transport, tally, turn } = rigOf(batch);
        for (const packets of script) {
          turn(
            packets.map(({ ssid }) => ssid),
            packets.map(({ refused }) => refused),
          );
        }
        for (const ssid of [1, 2]) {
          const numbers = numbersOf(transport, ssid);
          const own = script.flat().filter((sent) => sent.ssid === ssid);
          expect(tally.read(ssid, START_S)).toEqual({ received: own.length, replied: numbers.length });
          const gapless = batch === 1 ? numbers.map((_, at) => at) : numbers;
          expect(numbers).toEqual([...new Set(gapless)].toSorted((a, b) => a - b));
        }
      }),
    );
  });
});

describe('a request of a window that was read already', () => {
  it('is answered and counted as such, but in no window', () => {
    const { transport, tally, counters, turn } = rigOf(8);
    tally.close(START_S);
    turn([1]);
    expect(numbersOf(transport, 1)).toEqual([0]);
    expect(tally.read(1, START_S)).toEqual({ received: 0, replied: 0 });
    expect(counters.get('window_closed')).toBe(1);
  });
});
