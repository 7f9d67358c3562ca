/**
 * What the way does to a packet, done to random and damaged ones: no exception, nothing read outside the packet, nothing
 * written outside it, and every error with right checksums.
 */

import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import { flipBit } from '../../src/wire/bit-error.ts';
import { ROUTER_ERROR_BYTES_MAX, writeTimeExceeded, writeTooBig } from '../../src/wire/icmp-router-error.ts';
import { blankIpPacket, type IpPacket, parseIpPacket, takeHops } from '../../src/wire/ip-packet.ts';
import { blankProbeMark, readProbeMark } from '../../src/wire/probe-mark.ts';
import { shiftStampClock } from '../../src/wire/stamp-clock-shift.ts';
import { toHex, viewOf } from './bytes.ts';
import { Prng } from './fuzz-packets.ts';
import { FAMILIES, icmpPacket, ipPacket, UDP, udpPacket } from './ip-octets.ts';
import { ROUTER_ERRORS } from './linux-packets.ts';
import { plainChecksum, plainTransportChecksum } from './plain-checksum.ts';

/** FUZZ_SEED and FUZZ_PACKETS in the environment draw other packets, or more of them. */
const SEED = Number(process.env['FUZZ_SEED'] ?? 1071);
const PACKETS = Number(process.env['FUZZ_PACKETS'] ?? 100_000);
/** Octets around the packet, full of something that would change a result. */
const BEFORE = 13;
const BEHIND = 32;
const TELLING_OCTETS = [0, 1, 4, 0x11, 0x2c, 0x3a, 0x3c, 0x40, 0x45, 0x60, 0x7f, 0x80, 0xff];

const isStampPort = (port: number): boolean => port === 862;
const TLVS = '00040004000000000007001000000006e8fe6f7fc0000000020000000001000100';
const REQUEST = `00000001e8fe6f80800000008f841234${'00'.repeat(28)}`;
const REPLY = `00000007e8fe6f81e000000099801234e8fe6f81d000000000000001e8fe6f80800000008f840000fe000000`;
/** In either direction, as far as anybody on the way looks. */
const AUTHENTICATED = `00000001${'00'.repeat(12)}e8fe6f80800000008f841234${'00'.repeat(84)}`;
const ECHO = '70010203506f5070cafef00d0201abcd000102036553f100075bcd15';

const TEMPLATES: readonly Uint8Array[] = [
  ...FAMILIES.flatMap((family) => [
    udpPacket(family, 40_000, 862, REQUEST),
    udpPacket(family, 862, 40_000, REPLY),
    udpPacket(family, 862, 40_000, REPLY + TLVS),
    udpPacket(family, 862, 40_000, REPLY.replace('9980', 'd980') + TLVS),
    udpPacket(family, 40_000, 862, AUTHENTICATED),
    udpPacket(family, 862, 40_000, AUTHENTICATED),
    udpPacket(family, 40_000, 53, ''),
    icmpPacket(family, family === 'ipv4' ? 8 : 128, ECHO),
    icmpPacket(family, family === 'ipv4' ? 0 : 129, ECHO),
    icmpPacket(family, 3, ECHO),
    ipPacket(family, 6, '00'.repeat(20)),
  ]),
  ipPacket('ipv4', UDP, `9c40035e00340000${REQUEST}`, { options: '94040000' }),
  ipPacket('ipv4', UDP, `9c40035e00340000${REQUEST}`, { fragmentation: 0x2000 }),
  ipPacket('ipv6', UDP, `9c40035e00340000${REQUEST}`, {
    next: 0,
    extensions: `2b0005020000010011020000${'00'.repeat(20)}`,
  }),
  ipPacket('ipv6', UDP, `9c40035e00340000${REQUEST}`, { next: 44, extensions: '1100000100000001' }),
  ...ROUTER_ERRORS.map(({ packet }) => packet),
];

class Packets {
  readonly random: Prng;

  constructor(seed: number) {
    this.random = new Prng(seed);
  }

  next(): Uint8Array {
    const { random } = this;
    if (random.oneIn(16)) return Uint8Array.from({ length: random.below(120) }, () => random.below(256));
    let octets = Uint8Array.from(random.pick(TEMPLATES));
    for (let wounds = random.below(4); wounds > 0 && octets.length > 0; wounds -= 1) octets = this.#damaged(octets);
    if (!random.oneIn(4)) correctHeader(octets);
    return octets;
  }

  #damaged(octets: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const { random } = this;
    // Mostly where the headers are.
    const at = random.below(random.oneIn(2) ? octets.length : Math.min(octets.length, 80));
    switch (random.below(6)) {
      case 0:
        return octets.slice(0, at);
      case 1:
        return Uint8Array.from([...octets, ...new Uint8Array(random.below(40))]);
      case 2:
        octets[at] = (octets[at] ?? 0) ^ (1 << random.below(8));
        return octets;
      default:
        octets[at] = random.pick(TELLING_OCTETS);
        return octets;
    }
  }
}

/** So that damage is not all found by the header checksum and the length. */
function correctHeader(octets: Uint8Array): void {
  const view = viewOf(octets);
  const headerBytes = ((octets[0] ?? 0) & 15) * 4;
  if ((octets[0] ?? 0) >>> 4 === 6 && octets.length >= 40) view.setUint16(4, octets.length - 40);
  if ((octets[0] ?? 0) >>> 4 !== 4 || octets.length < Math.max(20, headerBytes)) return;
  view.setUint16(2, octets.length);
  view.setUint16(10, 0);
  view.setUint16(10, plainChecksum(octets.subarray(0, headerBytes)));
}

/** Octets as they are, at the very end of a buffer: reading on throws. */
function alone(octets: Uint8Array): DataView {
  return viewOf(Uint8Array.from(octets));
}

class Way {
  readonly seen = new Set<string>();
  readonly #random: Prng;
  readonly #packet = blankIpPacket();
  readonly #error = new Uint8Array(ROUTER_ERROR_BYTES_MAX);

  constructor(random: Prng) {
    this.#random = random;
  }

  /** Does everything to a copy of the packet. */
  walk(octets: Uint8Array): void {
    const view = alone(octets);
    const packet = this.#packet;
    const parsing = parseIpPacket(view, 0, octets.length, packet);
    this.seen.add(parsing);
    ok(['ok', 'short', 'not_ip', 'bad_header'].includes(parsing));
    if (parsing !== 'ok') return;
    this.#checkPlaces(packet, octets.length);
    this.#checkElsewhere(octets);
    this.#answer(view, packet);
    strictEqual(toHex(new Uint8Array(view.buffer)), toHex(octets));
    this.#pass(octets);
  }

  #checkPlaces(packet: IpPacket, length: number): void {
    ok(packet.totalBytes <= length);
    ok(packet.payloadOffset >= packet.destinationOffset + packet.addressBytes);
    strictEqual(packet.headerBytes + packet.payloadBytes, packet.totalBytes);
    ok(packet.payloadBytes >= 0);
  }

  /** The same in the middle of other octets: its fields are what they were, and its neighbours are left alone. */
  #checkElsewhere(octets: Uint8Array): void {
    const filler = this.#random.below(256);
    const among = new Uint8Array(BEFORE + octets.length + BEHIND).fill(filler);
    among.set(octets, BEFORE);
    const [here, there] = [alone(octets), viewOf(among)];
    const packet = blankIpPacket();
    strictEqual(parseIpPacket(there, BEFORE, octets.length, packet), 'ok');
    const [mark, sameMark] = [blankProbeMark(), blankProbeMark()];
    readProbeMark(there, packet, isStampPort, mark);
    readProbeMark(here, this.#packet, isStampPort, sameMark);
    deepStrictEqual(sameMark, mark);
    const offsets = [this.#offset(), this.#offset()] as const;
    shiftStampClock(there, packet, mark, ...offsets);
    shiftStampClock(here, this.#packet, mark, ...offsets);
    const hex = toHex(among);
    const [before, behind] = [BEFORE, BEHIND].map((bytes) => filler.toString(16).padStart(2, '0').repeat(bytes));
    strictEqual(hex, `${before}${toHex(new Uint8Array(here.buffer))}${behind}`);
    if (mark.role !== 0) this.seen.add(`${mark.kind === 0 ? 'icmp' : 'stamp'} ${mark.authenticated} ${mark.role}`);
  }

  #offset(): number {
    return this.#random.pick([0, 1, -1, 1_000_000_007, -86_400_000_000_000, this.#random.word()]);
  }

  #answer(view: DataView, packet: IpPacket): void {
    const out = viewOf(this.#error);
    const router = new Uint8Array(packet.addressBytes).fill(7);
    const bytes = this.#random.oneIn(2)
      ? writeTimeExceeded(out, 0, router, view, packet)
      : writeTooBig(out, 0, router, view, packet, 1280);
    this.seen.add(bytes === 0 ? 'silence' : 'answer');
    if (bytes === 0 || !this.#random.oneIn(40)) return;
    strictEqual(plainTransportChecksum(this.#error.subarray(0, bytes)), 0);
    if (packet.family === 4) strictEqual(plainChecksum(this.#error.subarray(0, 20)), 0);
  }

  /** Some hops further with a bit error, it is still the same kind of packet between the same hosts. */
  #pass(octets: Uint8Array): void {
    const view = alone(octets);
    const packet = this.#packet;
    const { protocol, ttl, sourcePort, destinationPort } = packet;
    if (ttl > 1) takeHops(view, packet, 1 + this.#random.below(ttl - 1));
    flipBit(view, packet, this.#random.word() / 2 ** 32);
    const after = blankIpPacket();
    strictEqual(parseIpPacket(view, 0, octets.length, after), 'ok');
    deepStrictEqual(after, packet);
    deepStrictEqual([after.protocol, after.sourcePort, after.destinationPort], [protocol, sourcePort, destinationPort]);
  }
}

describe(`any packet, seed ${SEED}`, () => {
  it('goes its way without harm to anything else, and among them are packets of each kind', () => {
    const packets = new Packets(SEED);
    const way = new Way(packets.random);
    for (let number = 0; number < PACKETS; number += 1) {
      const octets = packets.next();
      try {
        way.walk(octets);
      } catch (cause) {
        throw new Error(`FUZZ_SEED=${SEED}, packet ${number}: ${toHex(octets)}`, { cause });
      }
    }
    expect([...way.seen].toSorted()).toEqual([
      'answer',
      'bad_header',
      'icmp false 1',
      'icmp false 2',
      'not_ip',
      'ok',
      'short',
      'silence',
      'stamp false 1',
      'stamp false 2',
      'stamp true 1',
      'stamp true 2',
    ]);
  });
});
