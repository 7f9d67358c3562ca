/**
 * Packets to throw at decoders and reflectors: random octets, and valid STAMP and echo packets that are then damaged. The
 * same seed gives the same packets; the valid ones are built here by hand, not by the codec under test.
 */

import { MAC_BYTES, type PacketMac } from '../../src/wire/packet-mac.ts';
import { viewOf } from './bytes.ts';

export type FuzzKind = 'random' | 'request' | 'auth_request' | 'reply' | 'auth_reply' | 'echo' | 'echo_ipv6';

export interface FuzzOptions {
  seed: number;
  /** Signs what is authenticated; half of the packets are signed again after they were damaged. */
  mac: PacketMac;
  ssid: number;
  /** Session and path numbers of the echo probes. */
  echoSession: number;
  kinds: readonly FuzzKind[];
}

export const FUZZ_KINDS: readonly FuzzKind[] = [
  'random',
  'request',
  'auth_request',
  'reply',
  'auth_reply',
  'echo',
  'echo_ipv6',
];

/** As many octets as one Ethernet frame carries: `LIMITS.packetBytesMax`. */
const FUZZ_BYTES_MAX = 1472;

const BASE_BYTES = 44;
const AUTH_BASE_BYTES = 112;
const HMAC_TYPE = 8;
const LENGTHS = new Map([
  [2, 44],
  [3, 4],
  [4, 4],
  [5, 12],
  [6, 4],
  [7, 16],
  [9, 4],
  [10, 8],
  [12, 12],
]);
const TYPES = [0, 1, 2, 2, 3, 4, 4, 5, 5, 6, 7, 7, 8, 9, 10, 11, 12, 200, 253, 255];
const TELLING_OCTETS = [0, 1, 4, 16, 0x20, 0x40, 0x7f, 0x80, 0xc0, 0xff];

/** Marsaglia's xorshift with 128 bits of state: 10^7 packets use a vanishing part of its period. */
export class Prng {
  #x: number;
  #y = 362_436_069;
  #z = 521_288_629;
  #w = 88_675_123;

  constructor(seed: number) {
    this.#x = seed >>> 0;
    for (let turn = 0; turn < 16; turn += 1) this.word();
  }

  word(): number {
    const t = this.#x ^ (this.#x << 11);
    this.#x = this.#y;
    this.#y = this.#z;
    this.#z = this.#w;
    this.#w = (this.#w ^ (this.#w >>> 19) ^ t ^ (t >>> 8)) >>> 0;
    return this.#w;
  }

  /** 0 up to but not including `limit`. */
  below(limit: number): number {
    return this.word() % limit;
  }

  oneIn(chances: number): boolean {
    return this.below(chances) === 0;
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new Error('nothing to pick from');
    return value;
  }
}

export class PacketFuzzer {
  /** Of the packet that `next` gave last. */
  kind: FuzzKind = 'random';
  readonly #options: FuzzOptions;
  readonly #random: Prng;
  #octets: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #length = 0;
  #base = 0;

  constructor(options: FuzzOptions) {
    this.#options = options;
    this.#random = new Prng(options.seed);
  }

  /** Writes a packet to the start of `into`, which has 1472 octets, and returns its length. */
  next(into: Uint8Array): number {
    if (into !== this.#octets) {
      this.#octets = into;
      this.#view = viewOf(into);
    }
    this.kind = this.#random.pick(this.#options.kinds);
    this.#build();
    if (!this.#random.oneIn(4)) this.#damage();
    if (this.#base > 0 && this.#random.oneIn(2)) this.#sign();
    return this.#length;
  }

  #build(): void {
    this.#base = 0;
    switch (this.kind) {
      case 'random':
        this.#fillRandomly(0, this.#random.below(this.#random.oneIn(8) ? FUZZ_BYTES_MAX : 200));
        break;
      case 'echo':
        this.#echo(this.#random.oneIn(2) ? 8 : 0);
        break;
      case 'echo_ipv6':
        this.#echo(this.#random.oneIn(2) ? 128 : 129);
        break;
      case 'request':
      case 'reply':
        this.#stamp(BASE_BYTES, 14);
        break;
      case 'auth_request':
      case 'auth_reply':
        this.#stamp(AUTH_BASE_BYTES, 26);
        break;
    }
  }

  /** A base packet whose fields are random, save the SSID, and up to six TLVs. */
  #stamp(base: number, ssidAt: number): void {
    this.#base = base;
    this.#fillRandomly(0, base);
    this.#view.setUint16(ssidAt, this.#options.ssid);
    if (!this.#random.oneIn(8)) this.#octets[ssidAt - 2] = (this.#octets[ssidAt - 2] ?? 0) & 0xbf;
    for (let tlvs = this.#random.below(7); tlvs > 0; tlvs -= 1) this.#tlv(this.#random.pick(TYPES));
    if (this.#random.oneIn(2)) this.#tlv(HMAC_TYPE);
    if (this.#random.oneIn(4)) this.#tlv(1);
    this.#sign();
  }

  #tlv(type: number): void {
    const at = this.#length;
    const padding = this.#random.oneIn(20) ? this.#random.below(400) : this.#random.below(20);
    const usual = type === HMAC_TYPE ? MAC_BYTES : (LENGTHS.get(type) ?? padding);
    const length = this.#random.oneIn(12) ? this.#random.below(24) : usual;
    if (at + 4 + length > FUZZ_BYTES_MAX) return;
    this.#fillRandomly(at, length + 4);
    this.#octets[at] = this.#flags();
    this.#octets[at + 1] = type;
    this.#view.setUint16(at + 2, length);
    if (type === 2 && length === usual) {
      this.#subTlv(at + 8);
      this.#subTlv(at + 28);
    }
  }

  #subTlv(at: number): void {
    this.#octets[at] = this.#flags();
    this.#octets[at + 1] = this.#random.pick([1, 4, 4, 7, 7, 5, 8, 9, 77]);
    this.#view.setUint16(at + 2, this.#random.oneIn(12) ? this.#random.below(24) : 16);
  }

  #flags(): number {
    if (this.#random.oneIn(20)) return this.#random.pick(TELLING_OCTETS);
    return this.kind === 'reply' || this.kind === 'auth_reply' ? this.#random.pick([0, 0, 0, 0x80]) : 0x80;
  }

  /** Half of the time without the fill, whose pattern is the codec's own, and then valid in every octet. */
  #echo(type: number): void {
    this.#fillRandomly(0, 32 + (this.#random.oneIn(2) ? 0 : this.#random.below(64)));
    this.#view.setUint16(0, type << 8);
    this.#view.setUint32(8, 0x506f5070);
    this.#view.setUint32(12, this.#options.echoSession);
    this.#view.setUint16(6, this.#view.getUint16(22));
    if (this.kind === 'echo') {
      this.#view.setUint16(2, 0);
      this.#view.setUint16(2, this.#checksum());
    } else {
      // Balanced as the request was: type 128 and the constant in place of type and checksum.
      this.#view.setUint32(0, (128 << 24) | 0x7070);
      this.#view.setUint16(18, 0);
      this.#view.setUint16(18, this.#checksum());
      this.#view.setUint32(0, (type << 24) | this.#random.below(65_536));
    }
  }

  /** RFC 1071, over the whole packet. */
  #checksum(): number {
    let sum = 0;
    for (let at = 0; at < this.#length; at += 1) sum += (this.#octets[at] ?? 0) << (at % 2 === 0 ? 8 : 0);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    return ~sum & 0xffff;
  }

  #damage(): void {
    for (let wounds = 1 + this.#random.below(3); wounds > 0; wounds -= 1) {
      const at = this.#random.below(Math.max(1, this.#length));
      switch (this.#random.below(6)) {
        case 0:
          this.#length = at;
          break;
        case 1:
          this.#fillRandomly(this.#length, Math.min(this.#random.below(60), FUZZ_BYTES_MAX - this.#length));
          break;
        case 2:
          if (at < this.#length) this.#octets[at] = (this.#octets[at] ?? 0) ^ (1 << this.#random.below(8));
          break;
        case 3:
          if (at < this.#length) this.#octets[at] = this.#random.pick(TELLING_OCTETS);
          break;
        case 4:
          if (at + 2 <= this.#length) this.#view.setUint16(at, this.#random.pick([0, 3, 255, 0x7fff, 0xffff]));
          break;
        default:
          this.#octets.copyWithin(at, this.#random.below(at + 1), this.#length - Math.min(this.#length, 16));
      }
    }
  }

  /** Writes the codes that belong to the packet as it is: of the base packet, and of the first HMAC TLV that can be found. */
  #sign(): void {
    const { mac } = this.#options;
    for (let at = this.#base; at + 20 <= this.#length; at += 4 + this.#view.getUint16(at + 2)) {
      if (this.#octets[at + 1] !== HMAC_TYPE) continue;
      mac.start();
      mac.update(this.#view, 0, 4);
      mac.update(this.#view, this.#base, at);
      mac.write(this.#view, at + 4);
      break;
    }
    if (this.#base === AUTH_BASE_BYTES && this.#length >= AUTH_BASE_BYTES) {
      mac.start();
      mac.update(this.#view, 0, AUTH_BASE_BYTES - MAC_BYTES);
      mac.write(this.#view, AUTH_BASE_BYTES - MAC_BYTES);
    }
  }

  #fillRandomly(from: number, bytes: number): void {
    let at = from;
    for (; at + 4 <= from + bytes; at += 4) this.#view.setUint32(at, this.#random.word());
    for (; at < from + bytes; at += 1) this.#octets[at] = this.#random.below(256);
    this.#length = from + bytes;
  }
}

/**
 * Calls `body` with `packets` packets; whatever it throws is thrown with the seed, the packet's number and its octets.
 * FUZZ_SEED and FUZZ_PACKETS in the environment repeat a run or make it longer.
 */
export function fuzz(
  options: Omit<FuzzOptions, 'seed'>,
  packets: number,
  body: (octets: Uint8Array, kind: FuzzKind, random: Prng) => void,
): void {
  const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 32);
  const count = Number(process.env['FUZZ_PACKETS'] ?? packets);
  const fuzzer = new PacketFuzzer({ ...options, seed });
  const random = new Prng(seed ^ 0x5bd1e995);
  const buffer = new Uint8Array(FUZZ_BYTES_MAX);
  for (let number = 0; number < count; number += 1) {
    const octets = buffer.subarray(0, fuzzer.next(buffer));
    try {
      body(octets, fuzzer.kind, random);
    } catch (cause) {
      const hex = Buffer.from(octets).toString('hex');
      throw new Error(`FUZZ_SEED=${seed}, packet ${number} (${fuzzer.kind}): ${hex}`, { cause });
    }
  }
}
