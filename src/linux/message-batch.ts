/**
 * A batch of messages for sendmmsg or recvmmsg, laid out once and used again and again.
 *
 * ```text
 *   mmsghdr[count] | iovec[count] | name[count] | control[count] | payload[count]
 * ```
 */

import { Arena } from './arena.ts';
import { LAYOUT } from './constants.ts';
import type { Address } from './libc.ts';
import { SOCKADDR_BYTES_MAX } from './sockaddr.ts';

export class MessageBatch {
  readonly count: number;
  readonly payloadBytes: number;
  readonly controlBytes: number;
  readonly arena: Arena;
  readonly #headers: number;
  readonly #vectors: number;
  readonly #names: number;
  readonly #controls: number;
  readonly #payloads: number;
  readonly #stride: number;

  /** `count` messages of up to `payloadBytes` octets, with `controlBytes` octets of ancillary data each. */
  constructor(count: number, payloadBytes: number, controlBytes: number) {
    this.count = count;
    this.payloadBytes = payloadBytes;
    this.controlBytes = controlBytes;
    this.#stride = (payloadBytes + 15) & ~15;
    const bytesEach = LAYOUT.mmsghdr.size + LAYOUT.iovec.size + SOCKADDR_BYTES_MAX + controlBytes + this.#stride;
    this.arena = new Arena(count * bytesEach + 5 * 16);
    this.#headers = this.arena.take(count * LAYOUT.mmsghdr.size);
    this.#vectors = this.arena.take(count * LAYOUT.iovec.size);
    this.#names = this.arena.take(count * SOCKADDR_BYTES_MAX);
    this.#controls = this.arena.take(count * controlBytes);
    this.#payloads = this.arena.take(count * this.#stride);
    for (let message = 0; message < count; message += 1) this.#link(message);
  }

  #link(message: number): void {
    const { msghdr, iovec } = LAYOUT;
    const header = this.#header(message);
    const vector = this.#vectors + message * iovec.size;
    this.arena.setPointer(header + msghdr.msg_name, this.name(message));
    this.arena.setLength(header + msghdr.msg_namelen, SOCKADDR_BYTES_MAX);
    this.arena.setPointer(header + msghdr.msg_iov, vector);
    this.arena.setLength(header + msghdr.msg_iovlen, 1);
    this.arena.setPointer(header + msghdr.msg_control, this.control(message));
    this.arena.setLength(header + msghdr.msg_controllen, this.controlBytes);
    this.arena.setPointer(vector + iovec.iov_base, this.payload(message));
    this.arena.setLength(vector + iovec.iov_len, this.payloadBytes);
  }

  /** Address of the mmsghdr of a message, for the system call. */
  address(message: number): Address {
    return this.arena.address(this.#header(message));
  }

  /** Offset of a message's peer address in the arena. */
  name(message: number): number {
    return this.#names + message * SOCKADDR_BYTES_MAX;
  }

  /** Offset of a message's ancillary data in the arena. */
  control(message: number): number {
    return this.#controls + message * this.controlBytes;
  }

  /** Offset of a message's payload in the arena. */
  payload(message: number): number {
    return this.#payloads + message * this.#stride;
  }

  /** Restores what the kernel overwrote in the first `count` messages, so that they can be received into again. */
  rearm(count: number): void {
    const { msghdr } = LAYOUT;
    const { words } = this.arena;
    for (let message = 0; message < count; message += 1) {
      const header = this.#header(message) >> 2;
      words[header + msghdr.msg_namelen / 4] = SOCKADDR_BYTES_MAX;
      words[header + msghdr.msg_controllen / 4] = this.controlBytes;
      words[header + msghdr.msg_flags / 4] = 0;
    }
  }

  /** Sets payload and peer address length of a message to be sent, without ancillary data. */
  prepare(message: number, payloadLength: number, nameLength: number): void {
    const { msghdr, iovec } = LAYOUT;
    const { words } = this.arena;
    words[(this.#header(message) + msghdr.msg_namelen) >> 2] = nameLength;
    words[(this.#vectors + message * iovec.size + iovec.iov_len) >> 2] = payloadLength;
    this.setControlLength(message, 0);
  }

  /** Sets the octets of ancillary data that are sent with a message. */
  setControlLength(message: number, length: number): void {
    this.arena.words[(this.#header(message) + LAYOUT.msghdr.msg_controllen) >> 2] = length;
  }

  /** Octets of ancillary data that are sent, or were received, with a message. */
  controlLength(message: number): number {
    return this.arena.words[(this.#header(message) + LAYOUT.msghdr.msg_controllen) >> 2] ?? 0;
  }

  /** Octets received into a message. */
  received(message: number): number {
    return this.arena.words[(this.#header(message) + LAYOUT.mmsghdr.msg_len) >> 2] ?? 0;
  }

  /** MSG_* flags of a received message. */
  flags(message: number): number {
    return this.arena.words[(this.#header(message) + LAYOUT.msghdr.msg_flags) >> 2] ?? 0;
  }

  #header(message: number): number {
    return this.#headers + message * LAYOUT.mmsghdr.size;
  }
}
