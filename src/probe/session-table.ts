/** The reflector's provisioned sessions and what it remembers of each, all of it fixed at start. */

import { LIMITS } from '../base/limits.ts';
import { NS_PER_S, type Stamp } from '../base/units.ts';
import { differenceNs } from '../wire/ntp-time.ts';
import type { PacketMac } from '../wire/packet-mac.ts';
import { EndpointTable } from './endpoint-table.ts';
import { HmacSha256Mac } from './packet-mac.ts';
import type { ReflectorSession } from './plan.ts';

export class SessionTable {
  readonly #sessions: readonly ReflectorSession[];
  readonly #macs: readonly (PacketMac | null)[];
  readonly #table: EndpointTable;
  readonly #packetsPerSecond: number;
  /** Packets that a session may still send at once, and when that was reckoned. */
  readonly #allowance: Float64Array;
  readonly #reckonedSeconds: Uint32Array;
  readonly #reckonedNanoseconds: Uint32Array;
  /** Requests admitted and replies sent, modulo 2^32; the latter numbers the next reply (RFC 8762 section 4). */
  readonly #received: Uint32Array;
  readonly #sent: Uint32Array;
  /** The newest run of replies that were refused one after another: its first number, and the one behind its last. */
  readonly #refusedStart: Uint32Array;
  readonly #refusedEnd: Uint32Array;
  /** The newest reply whose departure is known: its number, and when it left. */
  readonly #departed: Uint8Array;
  readonly #departedSequence: Uint32Array;
  readonly #departedSeconds: Uint32Array;
  readonly #departedNanoseconds: Uint32Array;

  constructor(sessions: readonly ReflectorSession[], packetsPerSecond: number) {
    const count = sessions.length;
    this.#sessions = sessions;
    this.#macs = sessions.map(({ keys: [key, ...older] }) => (key ? new HmacSha256Mac(key, ...older) : null));
    this.#table = new EndpointTable(sessions.map(({ address, port, ssid }) => ({ address, port, name: ssid })));
    this.#packetsPerSecond = packetsPerSecond;
    this.#allowance = new Float64Array(count).fill(packetsPerSecond * LIMITS.reflectorBurstS);
    this.#reckonedSeconds = new Uint32Array(count);
    this.#reckonedNanoseconds = new Uint32Array(count);
    this.#received = new Uint32Array(count);
    this.#sent = new Uint32Array(count);
    this.#refusedStart = new Uint32Array(count);
    this.#refusedEnd = new Uint32Array(count);
    this.#departed = new Uint8Array(count);
    this.#departedSequence = new Uint32Array(count);
    this.#departedSeconds = new Uint32Array(count);
    this.#departedNanoseconds = new Uint32Array(count);
  }

  /** Goes on counting where another table was: `kept` has for each session the number that it had there, or -1. */
  continue(other: SessionTable, kept: readonly number[]): void {
    for (const [session, old] of kept.entries()) if (old >= 0) this.#continueSession(session, other, old);
  }

  #continueSession(session: number, other: SessionTable, old: number): void {
    this.#allowance[session] = other.#allowance[old] ?? 0;
    this.#reckonedSeconds[session] = other.#reckonedSeconds[old] ?? 0;
    this.#reckonedNanoseconds[session] = other.#reckonedNanoseconds[old] ?? 0;
    this.#received[session] = other.#received[old] ?? 0;
    this.#sent[session] = other.#sent[old] ?? 0;
    this.#refusedStart[session] = other.#refusedStart[old] ?? 0;
    this.#refusedEnd[session] = other.#refusedEnd[old] ?? 0;
    this.#departed[session] = other.#departed[old] ?? 0;
    this.#departedSequence[session] = other.#departedSequence[old] ?? 0;
    this.#departedSeconds[session] = other.#departedSeconds[old] ?? 0;
    this.#departedNanoseconds[session] = other.#departedNanoseconds[old] ?? 0;
  }

  /** Number of the session, or -1. SSID 0 is a TWAMP Light sender, which has none. */
  find(address: Uint8Array, bytes: number, port: number, ssid: number): number {
    return this.#table.find(address, bytes, port, ssid);
  }

  /** Whether the address has any session. */
  knows(address: Uint8Array, bytes: number): boolean {
    return this.#table.knows(address, bytes);
  }

  /** The session with a number that `find` has returned. */
  at(number: number): ReflectorSession {
    const session = this.#sessions[number];
    if (session) return session;
    throw new RangeError(`a session below ${this.#sessions.length} expected, found ${number}`);
  }

  /** Null in unauthenticated mode. */
  macOf(number: number): PacketMac | null {
    return this.#macs[number] ?? null;
  }

  /**
   * Takes one packet from the session's allowance (a token bucket), false when it is used up. Time is that of the arrival:
   * what has waited in the socket while this host was busy came at its own pace.
   */
  allow(number: number, arrived: Stamp): boolean {
    const elapsedNs = differenceNs(
      arrived.seconds,
      arrived.nanoseconds,
      this.#reckonedSeconds[number] ?? 0,
      this.#reckonedNanoseconds[number] ?? 0,
    );
    const gained = (Math.max(0, elapsedNs) / NS_PER_S) * this.#packetsPerSecond;
    const burst = this.#packetsPerSecond * LIMITS.reflectorBurstS;
    const allowance = Math.min(burst, (this.#allowance[number] ?? 0) + gained);
    this.#reckonedSeconds[number] = arrived.seconds;
    this.#reckonedNanoseconds[number] = arrived.nanoseconds;
    this.#allowance[number] = allowance >= 1 ? allowance - 1 : allowance;
    return allowance >= 1;
  }

  /** Counts an admitted request; returns how many there were. */
  countReceived(number: number): number {
    this.#received[number] = (this.#received[number] ?? 0) + 1;
    return this.#received[number] ?? 0;
  }

  /** The number of the session's next reply; it is taken. */
  takeSequence(number: number): number {
    const sequence = this.#sent[number] ?? 0;
    this.#sent[number] = sequence + 1;
    return sequence;
  }

  /**
   * Gives back the number of a reply that the kernel refused: numbers count transmitted replies (RFC 8762 section 4.3.1).
   * One behind which another reply of the session has left in the same batch cannot be given back; it stays a gap, which
   * the sender reads as a loss on the way back.
   */
  giveBackSequence(number: number, sequence: number): void {
    if (this.#refusedEnd[number] !== sequence) this.#refusedStart[number] = sequence;
    this.#refusedEnd[number] = sequence + 1;
    if (this.#sent[number] !== this.#refusedEnd[number]) return;
    this.#sent[number] = this.#refusedStart[number] ?? 0;
    this.#refusedEnd[number] = this.#refusedStart[number] ?? 0;
  }

  /** Remembers when a reply left; an older one than is known already says nothing new. */
  depart(number: number, sequence: number, seconds: number, nanoseconds: number): void {
    const isNewer = this.#departed[number] === 0 || ((sequence - (this.#departedSequence[number] ?? 0)) | 0) >= 0;
    if (!isNewer) return;
    this.#departed[number] = 1;
    this.#departedSequence[number] = sequence;
    this.#departedSeconds[number] = seconds;
    this.#departedNanoseconds[number] = nanoseconds;
  }

  /** When the session's reply `sequence` left, into `into`; false when that is not known. */
  departureOf(number: number, sequence: number, into: Stamp): boolean {
    if (this.#departed[number] === 0 || this.#departedSequence[number] !== sequence) return false;
    into.seconds = this.#departedSeconds[number] ?? 0;
    into.nanoseconds = this.#departedNanoseconds[number] ?? 0;
    return true;
  }
}
