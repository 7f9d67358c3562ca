/** Replies under way to the kernel: what was sent or refused, and when it left, finds its session by the cookie. */

import type { ReflectedTally } from './reflected-tally.ts';
import type { SessionTable } from './session-table.ts';

/** Replies whose stamp may be outstanding: stamps are read right after each batch. A power of two. */
const OUTSTANDING = 1024;

export class Departures {
  readonly #sessions: SessionTable;
  readonly #tally: ReflectedTally;
  readonly #session = new Int32Array(OUTSTANDING);
  readonly #sequence = new Uint32Array(OUTSTANDING);
  readonly #cell = new Int32Array(OUTSTANDING);
  #next = 0;

  constructor(sessions: SessionTable, tally: ReflectedTally) {
    this.#sessions = sessions;
    this.#tally = tally;
  }

  /** A cookie for the reply `sequence` of a session, to a request counted in this cell of the tally. */
  expect(session: number, sequence: number, cell: number): number {
    const cookie = this.#next;
    this.#next = (cookie + 1) & (OUTSTANDING - 1);
    this.#session[cookie] = session;
    this.#sequence[cookie] = sequence;
    this.#cell[cookie] = cell;
    return cookie;
  }

  /** The kernel took the reply with this cookie. */
  sent(cookie: number): void {
    this.#tally.countReplied(this.#cell[cookie] ?? -1);
  }

  /** The kernel refused it: its number is free again where that can still be. */
  refused(cookie: number): void {
    this.#sessions.giveBackSequence(this.#session[cookie] ?? 0, this.#sequence[cookie] ?? 0);
  }

  /** The kernel's stamp of the reply with this cookie: a Follow-Up Telemetry TLV tells when the reply before really left. */
  stamp(cookie: number, seconds: number, nanoseconds: number): void {
    this.#sessions.depart(this.#session[cookie] ?? 0, this.#sequence[cookie] ?? 0, seconds, nanoseconds);
  }
}
