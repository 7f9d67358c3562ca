/** Brings TX stamps of replies to their sessions: a Follow-Up Telemetry TLV tells when the reply before really left. */

import type { SessionTable } from './session-table.ts';

/** Replies whose stamp may be outstanding: stamps are read right after each batch. A power of two. */
const OUTSTANDING = 1024;

export class Departures {
  readonly #sessions: SessionTable;
  readonly #session = new Int32Array(OUTSTANDING);
  readonly #sequence = new Uint32Array(OUTSTANDING);
  #next = 0;

  constructor(sessions: SessionTable) {
    this.#sessions = sessions;
  }

  /** A cookie for the reply `sequence` of a session. */
  expect(session: number, sequence: number): number {
    const cookie = this.#next;
    this.#next = (cookie + 1) & (OUTSTANDING - 1);
    this.#session[cookie] = session;
    this.#sequence[cookie] = sequence;
    return cookie;
  }

  /** The kernel's stamp of the reply with this cookie. */
  stamp(cookie: number, seconds: number, nanoseconds: number): void {
    this.#sessions.depart(this.#session[cookie] ?? 0, this.#sequence[cookie] ?? 0, seconds, nanoseconds);
  }
}
