/** The transport of a probe class that this host does not permit: every probe is refused, with the errno that says why. */

import type { Outgoing, Transport, TransportEvents } from './transport.ts';

export class RefusingTransport implements Transport {
  readonly name = 'none';
  readonly outgoing: Outgoing;
  readonly #errno: number;

  constructor(errno: number, count: number, payloadBytes: number) {
    this.#errno = errno;
    // The engine writes the packet as always; all messages share one place, since none is sent.
    this.outgoing = { count, arena: { view: new DataView(new ArrayBuffer(payloadBytes)) }, payload: () => 0 };
  }

  readDrops(): number {
    return 0;
  }

  prepare(): void {
    // Nothing to prepare: the packet will not be sent.
  }

  send(count: number, cookies: Int32Array, events: TransportEvents): void {
    for (let message = 0; message < count; message += 1) events.onRefused(cookies[message] ?? 0, this.#errno);
  }

  receive(): void {
    // Nothing was sent, so nothing arrives.
  }

  close(): void {
    // Nothing was opened.
  }
}
