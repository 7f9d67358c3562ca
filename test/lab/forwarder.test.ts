/** The forwarder on hosts that are two lists of packets each: what it delivers, answers, drops and books. */

import { describe, expect, it } from 'vitest';
import type { LabScenario, LinkBehaviour } from '../../src/config/lab-scenario.ts';
import { UNDISTURBED } from '../../src/config/lab-behaviour.ts';
import { Forwarder } from '../../src/lab/forwarder.ts';
import { HostTable } from '../../src/lab/host-table.ts';
import { DirectionModel } from '../../src/lab/impairment.ts';
import { LedgerReader } from '../../src/lab/ledger-reader.ts';
import { PacketStore } from '../../src/lab/packet-store.ts';
import { ProbeMatcher } from '../../src/lab/probe-matcher.ts';
import { Random } from '../../src/lab/random.ts';
import { TruthLedger } from '../../src/lab/truth-ledger.ts';
import { fromHex, viewOf } from '../wire/bytes.ts';
import { type Family, icmpPacket, ipPacket, UDP } from '../wire/ip-octets.ts';
import { plainChecksum, plainTransportChecksum } from '../wire/plain-checksum.ts';

const HOSTS = ['hkg1', 'sin1', 'collector'];
const NUMBERS = ['01', '02', 'ff'];
const DELAY_NS = 10e6;
const SECOND = 1_795_000_000;
const STAMP_PORT = 862;

function address(host: number, family: Family): string {
  return family === 'ipv4' ? `c612${NUMBERS[host]}01` : `20010db800${NUMBERS[host]}${'0'.repeat(19)}1`;
}

/** Three hosts; the behaviour is that of the direction from the first to the second. */
class Rig {
  nowNs = 1e9;
  readonly sent: Uint8Array[][] = HOSTS.map(() => []);
  readonly delivered: Uint8Array[][] = HOSTS.map(() => []);
  readonly forwarder: Forwarder;
  readonly matcher: ProbeMatcher;
  readonly #reader: LedgerReader;

  constructor(behaviour: Partial<LinkBehaviour> = {}, { capacity = 16, offsetNs = 0 } = {}) {
    const pairs = HOSTS.flatMap((_, from) => HOSTS.map((__, to) => ({ from, to }))).filter(
      ({ from, to }) => from !== to,
    );
    const plain = { ...UNDISTURBED, delayNs: DELAY_NS, hops: 4 };
    const directions = pairs.map(({ from, to }) => ({
      from,
      to,
      members: [from === 0 && to === 1 ? { ...plain, ...behaviour } : plain],
    }));
    const scenario = {
      hosts: HOSTS.map((name, place) => ({
        name,
        ipv4: `198.18.${Number.parseInt(NUMBERS[place] ?? '', 16)}.1`,
        ipv6: `2001:db8:${Number.parseInt(NUMBERS[place] ?? '', 16).toString(16)}::1`,
        clockOffsetNs: place === 0 ? offsetNs : 0,
      })),
      directions,
      mesh: { stamp_port: STAMP_PORT, pops: [{}, {}] },
    } as unknown as LabScenario;
    const store = new PacketStore(capacity);
    const ledger = TruthLedger.create(HOSTS.length);
    this.#reader = new LedgerReader(ledger.buffer);
    this.matcher = new ProbeMatcher(ledger, 3e9, 64);
    const base = store.arena.address(0);
    const octets = (at: number, length: number): Uint8Array =>
      store.arena.octets.subarray(at - base, at - base + length);
    this.forwarder = new Forwarder({
      scenario,
      tuns: HOSTS.map((_, place) => place),
      hosts: new HostTable(scenario.hosts),
      models: directions.map((direction) => new DirectionModel(direction, 1)),
      ledger,
      matcher: this.matcher,
      store,
      random: new Random(1),
      libc: {
        read: (host, into, room) => {
          const packet = this.sent[host]?.shift();
          if (packet) octets(into, room).set(packet);
          return packet?.length ?? -1;
        },
        write: (host, from, length) => {
          this.delivered[host]?.push(octets(from, length).slice());
          return length;
        },
      },
      nowNs: () => this.nowNs,
      wallOffsetNs: SECOND * 1e9 - 1e9,
    });
  }

  /** A host sends packets; they are read now, and everything departs that is due `laterNs` from now. */
  pass(host: number, packets: readonly Uint8Array[], laterNs: number): void {
    this.sent[host]?.push(...packets);
    this.forwarder.receive(host);
    this.nowNs += laterNs;
    this.forwarder.depart();
  }

  row(from = 'hkg1', to = 'sin1') {
    return this.#reader.rows(SECOND, HOSTS).find((row) => row.from === from && row.to === to);
  }
}

function udp(
  family: Family,
  from: number,
  to: number,
  ports: readonly [number, number],
  data: string,
  ttl = 255,
): Uint8Array {
  const length = data.length / 2 + 8;
  const header = [...ports, length, 0].map((field) => field.toString(16).padStart(4, '0')).join('');
  const fields = { source: address(from, family), destination: address(to, family), ttl };
  const packet = ipPacket(family, UDP, header + data, fields);
  viewOf(packet).setUint16(packet.length - length + 6, plainTransportChecksum(packet) || 0xffff);
  return packet;
}

describe.each(['ipv4', 'ipv6'] as const)('the forwarder with %s', (family) => {
  const ttlAt = family === 'ipv4' ? 8 : 7;

  it('delivers after the delay and not before, with the hops taken off', () => {
    const rig = new Rig();
    rig.pass(0, [udp(family, 0, 1, [5000, 6000], 'abcd')], DELAY_NS - 1e6);
    expect(rig.delivered[1]).toEqual([]);
    rig.nowNs += 1e6;
    expect(rig.forwarder.depart()).toBe(Number.POSITIVE_INFINITY);
    const expected = udp(family, 0, 1, [5000, 6000], 'abcd', 251);
    expect(rig.delivered[1]).toEqual([expected]);
    expect(rig.row()?.packets).toMatchObject({ offered: 1, delay_n: 1, delay_sum_us: 10_000 });
  });

  it('says when the next packet departs', () => {
    const rig = new Rig();
    rig.pass(0, [udp(family, 0, 1, [5000, 6000], 'abcd')], 0);
    expect(rig.forwarder.depart()).toBe(1e9 + DELAY_NS);
  });

  it.each([1, 2, 4])('has the router answer where TTL %i ends', (ttl) => {
    const rig = new Rig();
    rig.pass(0, [udp(family, 0, 1, [5000, 33_434], 'abcd', ttl)], 10 * DELAY_NS);
    expect(rig.delivered[1]).toEqual([]);
    const [answer] = rig.delivered[0] ?? [];
    const type = family === 'ipv4' ? 11 : 3;
    expect(answer?.[family === 'ipv4' ? 20 : 40]).toBe(type);
    const source = Buffer.from(answer ?? [])
      .toString('hex')
      .slice(family === 'ipv4' ? 24 : 16, family === 'ipv4' ? 32 : 48);
    const region = ttl <= 2 ? '01' : '02';
    const start = family === 'ipv4' ? `c613${region}` : `20010db8ffff00${region}`;
    expect(source.slice(0, start.length)).toBe(start);
    expect(rig.row()?.packets.dropped.ttl).toBe(1);
  });

  it('has routers before a dead link answer, and those behind it not', () => {
    const rig = new Rig({ loss: 1 });
    for (const ttl of [1, 2, 3, 4]) rig.pass(0, [udp(family, 0, 1, [5000, 33_434], 'abcd', ttl)], 10 * DELAY_NS);
    expect(rig.delivered[0]).toHaveLength(2);
    expect(rig.row()?.packets.dropped).toMatchObject({ ttl: 2, loss: 2 });
  });

  it('says that a packet is too big, unless it is a black hole', () => {
    const large = udp(family, 0, 1, [5000, 6000], '00'.repeat(1400));
    for (const blackHole of [false, true]) {
      const rig = new Rig({ mtu: { bytes: 1300, blackHole } });
      rig.pass(0, [large], 10 * DELAY_NS);
      expect(rig.delivered[0]).toHaveLength(blackHole ? 0 : 1);
      expect(rig.row()?.packets.dropped.mtu).toBe(1);
    }
  });

  it('drops what finds no room, and counts it as its own trouble', () => {
    const rig = new Rig({}, { capacity: 2 });
    rig.pass(
      0,
      [1, 2, 3].map((port) => udp(family, 0, 1, [port, 6000], 'abcd')),
      DELAY_NS,
    );
    expect(rig.delivered[1]).toHaveLength(2);
    expect(rig.row()?.packets).toMatchObject({ offered: 3, dropped: { overload: 1 } });
    rig.pass(0, [udp(family, 0, 1, [4, 6000], 'abcd')], DELAY_NS);
    expect(rig.delivered[1]).toHaveLength(3);
  });

  it('delivers a copy behind the packet, and counts neither a second delivery nor a second probe', () => {
    const rig = new Rig({ duplicate: 1 });
    rig.pass(0, [udp(family, 0, 1, [18_620, STAMP_PORT], '00'.repeat(44))], DELAY_NS);
    expect(rig.delivered[1]).toHaveLength(2);
    expect(rig.delivered[1]?.[1]).toEqual(rig.delivered[1]?.[0]);
    expect(rig.row()).toMatchObject({ packets: { duplicated: 1, delay_n: 1 }, probes: { sent: 1 } });
  });

  it('ignores what is not from the host itself to another one', () => {
    const rig = new Rig();
    const stranger = udp(family, 1, 2, [1, 2], 'abcd');
    const multicast = udp(family, 0, 1, [1, 2], 'abcd');
    multicast.set(fromHex(family === 'ipv4' ? 'e0000001' : `ff02${'0'.repeat(27)}1`), family === 'ipv4' ? 16 : 24);
    if (family === 'ipv4') {
      viewOf(multicast).setUint16(10, 0);
      viewOf(multicast).setUint16(10, plainChecksum(multicast.subarray(0, 20)));
    }
    rig.pass(0, [stranger, multicast, new Uint8Array(20), Uint8Array.of(0x45)], DELAY_NS);
    expect(rig.forwarder.ignored).toBe(4);
    expect(rig.delivered.flat()).toEqual([]);
  });

  it('books a probe as answered, and one whose reply is lost as lost on the way back', () => {
    const rig = new Rig();
    const data = (sequence: number): string =>
      `0000000${sequence}${'00'.repeat(20)}0000000${sequence}${'00'.repeat(16)}`;
    for (const sequence of [1, 2]) {
      rig.pass(0, [udp(family, 0, 1, [18_620, STAMP_PORT], data(sequence))], DELAY_NS);
    }
    rig.pass(1, [udp(family, 1, 0, [STAMP_PORT, 18_620], data(1))], DELAY_NS);
    rig.matcher.settle(Number.POSITIVE_INFINITY);
    expect(rig.row()?.probes).toMatchObject({ sent: 2, lost: 1, unanswered: 1, stamp_n: 1, stamp_sum_us: 20_000 });
  });

  it('books how late it read request and reply, by the stamps in them', () => {
    const rig = new Rig();
    // 0.2 ms before the rig's first instant, and 0.3 ms before the reply is read, 10 ms later: NTP time (RFC 5905 figure 3).
    const T1 = 'eea8053ffff2e48e';
    const T3 = 'eea80540027bb2ff';
    const request = `00000001${T1}0001${'00'.repeat(30)}`;
    const reply = `00000001${T3}0001${'00'.repeat(10)}00000001${T1}${'00'.repeat(8)}`;
    rig.pass(0, [udp(family, 0, 1, [18_620, STAMP_PORT], request)], DELAY_NS);
    rig.pass(1, [udp(family, 1, 0, [STAMP_PORT, 18_620], reply)], DELAY_NS);
    // A stamp of a clock that is 10 s behind says nothing.
    rig.pass(0, [udp(family, 0, 1, [18_621, STAMP_PORT], request.replace('eea8053f', 'eea80535'))], DELAY_NS);
    rig.pass(1, [udp(family, 1, 0, [STAMP_PORT, 18_621], reply.replace(T3, '0'.repeat(16)))], DELAY_NS);
    rig.matcher.settle(Number.POSITIVE_INFINITY);
    expect(rig.row()?.probes).toMatchObject({ stamp_n: 2, stamp_sum_us: 40_000, stamp_lag_sum_us: 500 });
  });

  it('shows the clock of a host to others as the scenario has it, and hides it from itself', () => {
    const rig = new Rig({}, { offsetNs: 1e9 });
    const t1 = 'e8000000';
    rig.pass(
      0,
      [udp(family, 0, 1, [18_620, STAMP_PORT], `00000001${t1}00000000${'00'.repeat(2)}01${'00'.repeat(29)}`)],
      DELAY_NS,
    );
    const at = (family === 'ipv4' ? 20 : 40) + 8 + 4;
    const arrived = rig.delivered[1]?.[0] ?? new Uint8Array(64);
    expect(viewOf(arrived).getUint32(at)).toBe(0xe800_0001);
    expect(plainTransportChecksum(arrived)).toBe(0);
    expect(arrived[ttlAt]).toBe(251);
  });

  it('lets an ICMP echo pass like anything else', () => {
    const rig = new Rig();
    const fields = { source: address(0, family), destination: address(1, family) };
    rig.pass(0, [icmpPacket(family, family === 'ipv4' ? 8 : 128, '00010002abcdef01', fields)], DELAY_NS);
    expect(rig.delivered[1]).toHaveLength(1);
  });
});
