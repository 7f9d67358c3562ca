/** What every transport must do, whatever carries the packets; run against each implementation. */

import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/base/clock.ts';
import type { IpAddress } from '../../src/base/ip-address.ts';
import { formatIp } from '../../src/linux/ip-text.ts';
import { endpointOf } from '../../src/linux/sockaddr.ts';
import type { Datagram, IcmpError, Transport, TransportEvents } from '../../src/probe/transport.ts';
import { STAMP_SOURCE } from '../../src/ring/layout.ts';
import { differenceNs } from '../../src/wire/ntp-time.ts';

/** A transport under test, the packets that get an answer on it, and how to wait for the answers. */
export interface Bench {
  transport: Transport;
  clock: Clock;
  /** A peer that sends every packet back; nobody answers at `closed`; the local kernel refuses `forbidden`. */
  echoing: { address: IpAddress; port: number };
  closed: { address: IpAddress; port: number } | null;
  forbidden: { address: IpAddress; port: number; errno: number } | null;
  /** Whether the kernel stamps packets; if not, user space stamps what arrives. */
  stamps: boolean;
  /** Whether `send` itself says what became of each packet; if not, the next `receive` does. */
  answersAtOnce: boolean;
  /** Whether the TTL of what arrives is known, and whether ICMP errors are heard. */
  tells: { ttl: boolean; icmpErrors: boolean };
  /** Writes a packet that can be told by its number; returns its length. */
  write: (view: DataView, offset: number, number: number) => number;
  /** The number of a packet that came back. */
  numberOf: (datagram: Datagram) => number;
  /** Lets time pass until something may have arrived. */
  settle(): void;
  close(): Promise<void>;
}

/** Everything a transport said. */
class Record implements TransportEvents {
  /** How often the transport announced datagrams, and how many came without. */
  reads = 0;
  unannounced = 0;
  sent: number[] = [];
  refused: [cookie: number, errno: number][] = [];
  stamps = new Map<number, { seconds: number; nanoseconds: number }>();
  received: {
    number: number;
    seconds: number;
    nanoseconds: number;
    stamped: boolean;
    stampSource: number;
    ttl: number;
    address: string;
  }[] = [];
  icmpErrors: { errno: number; type: number; code: number; address: string; from: string }[] = [];
  readonly #numberOf: (datagram: Datagram) => number;

  constructor(numberOf: (datagram: Datagram) => number) {
    this.#numberOf = numberOf;
  }

  onRead(): void {
    this.reads += 1;
  }

  onSent(cookie: number): void {
    this.sent.push(cookie);
  }

  onRefused(cookie: number, errno: number): void {
    this.refused.push([cookie, errno]);
  }

  onTxStamp(cookie: number, seconds: number, nanoseconds: number): void {
    this.stamps.set(cookie, { seconds, nanoseconds });
  }

  onDatagram(datagram: Datagram): void {
    const { seconds, nanoseconds, stamped, stampSource, ttl, source } = datagram;
    if (this.reads === 0) this.unannounced += 1;
    this.received.push({
      number: this.#numberOf(datagram),
      seconds,
      nanoseconds,
      stamped,
      stampSource,
      ttl,
      address: formatIp(source.address, source.addressBytes),
    });
  }

  onIcmpError({ source }: Datagram, { errno, type, code, offender }: IcmpError): void {
    const address = formatIp(source.address, source.addressBytes);
    this.icmpErrors.push({ errno, type, code, address, from: formatIp(offender.address, offender.addressBytes) });
  }
}

const DEADLINE_MS = 5000;

export function transportContract(name: string, open: () => Promise<Bench>): void {
  describe(`transport: ${name}`, () => {
    let bench: Bench;
    let record: Record;

    beforeEach(async () => {
      bench = await open();
      record = new Record(bench.numberOf);
    });
    afterEach(() => bench.close());

    function send(targets: readonly { address: IpAddress; port: number }[]): void {
      const cookies = new Int32Array(bench.transport.outgoing.count);
      for (const [message, target] of targets.entries()) {
        const { arena } = bench.transport.outgoing;
        const length = bench.write(arena.view, bench.transport.outgoing.payload(message), 1000 + message);
        bench.transport.prepare(message, length, endpointOf(target.address, target.port));
        cookies[message] = 500 + message;
      }
      bench.transport.send(targets.length, cookies, record);
    }

    /** Every packet has its answer, and no packet has two. */
    function expectAnswered(packets: number): void {
      expect(record.sent.length + record.refused.length).toBe(packets);
    }

    function now(): { seconds: number; nanoseconds: number } {
      bench.clock.read();
      return { seconds: bench.clock.wallSeconds, nanoseconds: bench.clock.wallNanoseconds };
    }

    async function until(done: () => boolean): Promise<void> {
      const deadline = Date.now() + DEADLINE_MS;
      while (!done() && Date.now() < deadline) {
        bench.settle();
        bench.transport.receive(record);
        await setImmediate();
      }
      expect(done(), 'in time').toBe(true);
    }

    it('carries a full batch out and back, each packet once', async () => {
      const { count } = bench.transport.outgoing;
      send(Array(count).fill(bench.echoing));
      if (bench.answersAtOnce) expectAnswered(count);
      await until(() => record.received.length >= count);
      expect(record.sent).toEqual(Array.from({ length: count }, (_, message) => 500 + message));
      expect(record.refused).toEqual([]);
      expect(record.unannounced).toBe(0);
      const numbers = record.received.map((reply) => reply.number).toSorted((a, b) => a - b);
      expect(numbers).toEqual(Array.from({ length: count }, (_, message) => 1000 + message));
      expect(new Set(record.received.map((reply) => reply.address))).toEqual(
        new Set([formatIp(bench.echoing.address)]),
      );
    });

    it('says what became of a packet no later than the next reading, and before any datagram', async () => {
      send([bench.echoing, bench.forbidden ?? bench.echoing]);
      if (bench.answersAtOnce) expectAnswered(2);
      // Once the event loop has turned, whatever had to be asked has answered.
      await setImmediate();
      const received = record.received.length;
      bench.transport.receive({
        onSent: (cookie) => record.onSent(cookie),
        onRefused: (cookie, errno) => record.onRefused(cookie, errno),
        onTxStamp: (cookie, seconds, nanoseconds) => record.onTxStamp(cookie, seconds, nanoseconds),
        onRead: () => record.onRead(),
        onDatagram: (datagram) => {
          expectAnswered(2);
          record.onDatagram(datagram);
        },
        onIcmpError: (datagram, error) => record.onIcmpError(datagram, error),
      });
      expectAnswered(2);
      expect(received).toBe(0);
    });

    it('stamps arrival itself where the kernel does not, when the datagram came and not when it was read', async ({
      skip,
    }) => {
      if (bench.stamps) skip('this transport has kernel stamps');
      const before = now();
      send([bench.echoing]);
      // Long enough for the reply, without a reading: the stamp must not be the reading's.
      for (let turns = 0; turns < 100; turns += 1) await setImmediate();
      const arrived = now();
      await until(() => record.received.length === 1);
      const reply = record.received[0];
      expect(reply).toMatchObject({ stamped: true, stampSource: STAMP_SOURCE.user });
      expect(sinceNs(reply, before)).toBeGreaterThanOrEqual(0);
      expect(sinceNs(arrived, reply)).toBeGreaterThanOrEqual(0);
      expect([...record.stamps]).toEqual([]);
    });

    it('stamps departure and arrival in that order, within the time that passed', async ({ skip }) => {
      if (!bench.stamps) skip('this transport has no kernel stamps');
      // The kernel switches RX stamping on from a work queue: the first packets may come without.
      send([bench.echoing]);
      await until(() => {
        const arrived = record.received.at(-1);
        if (arrived?.stamped === false) {
          record = new Record(bench.numberOf);
          send([bench.echoing]);
        }
        return arrived?.stamped === true;
      });
      const before = now();
      record = new Record(bench.numberOf);
      send(Array(8).fill(bench.echoing));
      await until(() => record.received.length === 8 && record.stamps.size === 8);
      const after = now();
      for (const reply of record.received) {
        const tx = record.stamps.get(reply.number - 500);
        expect(reply).toMatchObject({ stamped: true, stampSource: STAMP_SOURCE.kernel });
        expect(sinceNs(tx, before)).toBeGreaterThanOrEqual(0);
        expect(sinceNs(reply, tx)).toBeGreaterThanOrEqual(0);
        expect(sinceNs(after, reply)).toBeGreaterThanOrEqual(0);
      }
    });

    it('tells the TTL of what arrives, or that it does not know', async () => {
      send([bench.echoing]);
      await until(() => record.received.length === 1);
      expect(Math.sign(record.received[0]?.ttl ?? 0)).toBe(bench.tells.ttl ? 1 : -1);
    });

    it('reports what the local kernel does not send as refused, and sends the others', async ({ skip }) => {
      const { forbidden, echoing } = bench;
      if (!forbidden) {
        skip('nothing is forbidden on this transport');
        return;
      }
      send([echoing, forbidden, echoing, forbidden, forbidden, echoing]);
      await until(() => record.received.length === 3);
      expect(record.sent).toEqual([500, 502, 505]);
      expect(record.refused).toEqual([501, 503, 504].map((cookie) => [cookie, forbidden.errno]));
      expect(record.received.map((reply) => reply.number)).toEqual([1000, 1002, 1005]);
      const stamped = [...record.stamps.keys()].toSorted((a, b) => a - b);
      expect(stamped).toEqual(bench.stamps ? [500, 502, 505] : []);
    });

    it('lets an ICMP error for one peer cost no other peer its packet', async ({ skip }) => {
      const { closed, echoing } = bench;
      if (!closed) {
        skip('nobody can refuse on this transport');
        return;
      }
      for (let round = 0; round < 20; round += 1) {
        send([closed]);
        send([echoing]);
        send([closed, echoing]);
      }
      const { icmpErrors } = bench.tells;
      await until(() => record.received.length === 40 && (record.icmpErrors.length > 0 || !icmpErrors));
      expect(record.refused).toEqual([]);
      expect(record.sent).toHaveLength(80);
      if (!icmpErrors) return;
      const address = formatIp(closed.address);
      const [type, code] = closed.address.length === 4 ? [3, 3] : [1, 4];
      expect(record.icmpErrors[0]).toEqual({ errno: 111, type, code, address, from: address });
    });
  });
}

function sinceNs(
  a: { seconds: number; nanoseconds: number } | undefined,
  b: { seconds: number; nanoseconds: number } | undefined,
): number {
  if (!a || !b) return Number.NaN;
  return differenceNs(a.seconds, a.nanoseconds, b.seconds, b.nanoseconds);
}
