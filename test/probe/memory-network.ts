/** A network in memory: what the engine sends is answered, delayed, lost or copied as a script says, without a kernel. */

import type { IpAddress } from '../../src/base/ip-address.ts';
import type { Endpoint } from '../../src/linux/sockaddr.ts';
import type { Datagram, Transport, TransportEvents } from '../../src/probe/transport.ts';
import { STAMP_SOURCE } from '../../src/ring/layout.ts';
import type { FakeClock } from './fake-clock.ts';

/** A packet as it was sent. */
export interface SentPacket {
  octets: Uint8Array;
  address: IpAddress;
  port: number;
  /** Number of the packet since the start. */
  index: number;
}

/** A reply on its way: when it arrives after the send, from where, and what it holds. */
export interface Reply {
  afterNs: number;
  address: IpAddress;
  port: number;
  octets: Uint8Array;
  stamped?: boolean;
}

export interface Script {
  /** errno with which the local kernel refuses the packet, or 0. */
  refuse?: (packet: SentPacket) => number;
  /** The kernel's TX stamp comes this long after the send; null: never. */
  txStampAfterNs?: (packet: SentPacket) => number | null;
  replies: (packet: SentPacket) => Reply[];
}

const COUNT = 64;
const STRIDE = 2048;
const NOWHERE: IpAddress = new Uint8Array(4);

export class MemoryNetwork implements Transport {
  readonly name = 'memory';
  drops = 0;
  hidesDrops = false;
  readonly outgoing = {
    count: COUNT,
    arena: { view: new DataView(new ArrayBuffer(COUNT * STRIDE)) },
    payload: (message: number) => message * STRIDE,
  };
  readonly #clock: FakeClock;
  readonly #script: Script;
  readonly #prepared = Array.from({ length: COUNT }, () => ({ length: 0, address: NOWHERE, port: 0 }));
  #underway: { atNs: number; wallNs: bigint; reply: Reply }[] = [];
  #sent = 0;

  constructor(clock: FakeClock, script: Script) {
    this.#clock = clock;
    this.#script = script;
  }

  get sent(): number {
    return this.#sent;
  }

  readDrops(): number {
    return this.drops;
  }

  prepare(message: number, length: number, { address, addressBytes, port }: Endpoint): void {
    this.#prepared[message] = { length, address: address.slice(0, addressBytes), port };
  }

  send(count: number, cookies: Int32Array, events: TransportEvents): void {
    for (let message = 0; message < count; message += 1) {
      const { length, address, port } = this.#prepared[message] ?? { length: 0, address: NOWHERE, port: 0 };
      const octets = new Uint8Array(this.outgoing.arena.view.buffer.slice(message * STRIDE, message * STRIDE + length));
      const packet = { octets, address, port, index: this.#sent };
      this.#sent += 1;
      const cookie = cookies[message] ?? 0;
      const errno = this.#script.refuse?.(packet) ?? 0;
      if (errno === 0) this.#carry(packet, cookie, events);
      else events.onRefused(cookie, errno);
    }
  }

  /** Delivers what has arrived by now, in the order of arrival. */
  receive(events: TransportEvents): void {
    const now = this.#clock.monoNs;
    const arrived = this.#underway.filter(({ atNs }) => atNs <= now).toSorted((a, b) => a.atNs - b.atNs);
    this.#underway = this.#underway.filter(({ atNs }) => atNs > now);
    if (arrived.length > 0) events.onRead();
    for (const { wallNs, reply } of arrived) events.onDatagram(datagramOf(reply, wallNs));
  }

  close(): void {
    this.#underway = [];
  }

  #carry(packet: SentPacket, cookie: number, events: TransportEvents): void {
    events.onSent(cookie);
    const stampAfterNs = this.#script.txStampAfterNs ? this.#script.txStampAfterNs(packet) : 0;
    if (stampAfterNs !== null) {
      const at = this.#clock.wallNs + BigInt(stampAfterNs);
      events.onTxStamp(cookie, Number(at / 1_000_000_000n), Number(at % 1_000_000_000n));
    }
    for (const reply of this.#script.replies(packet)) {
      const wallNs = this.#clock.wallNs + BigInt(reply.afterNs);
      this.#underway.push({ atNs: this.#clock.monoNs + reply.afterNs, wallNs, reply });
    }
  }
}

function datagramOf(reply: Reply, wallNs: bigint): Datagram {
  return {
    view: new DataView(reply.octets.buffer, reply.octets.byteOffset, reply.octets.byteLength),
    offset: 0,
    length: reply.octets.length,
    truncated: false,
    source: { address: reply.address, addressBytes: reply.address.length, port: reply.port },
    stamped: reply.stamped ?? true,
    stampSource: STAMP_SOURCE.kernel,
    seconds: Number(wallNs / 1_000_000_000n),
    nanoseconds: Number(wallNs % 1_000_000_000n),
    ttl: 64,
    tos: 0,
  };
}
