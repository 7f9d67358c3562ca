/** CLOCK_REALTIME as a step would change it, seen from one process: in its clock readings and its kernel stamps alike. */

import type { Clock } from '../../src/base/clock.ts';
import { type MonoNs, NS_PER_S, type Stamp } from '../../src/base/units.ts';
import { SystemClock } from '../../src/linux/system-clock.ts';
import type { Datagram, IcmpError, Transport, TransportEvents } from '../../src/probe/transport.ts';
import { differenceNs } from '../../src/wire/ntp-time.ts';

export class SteppedClock implements Clock {
  monoNs = 0 as MonoNs;
  wallSeconds = 0;
  wallNanoseconds = 0;
  readonly #real = new SystemClock();
  readonly #steps: { at: Stamp; seconds: number }[] = [];

  constructor() {
    this.read();
  }

  /** Somebody sets the clock, now. */
  step(seconds: number): void {
    this.#real.read();
    this.#steps.push({ at: { seconds: this.#real.wallSeconds, nanoseconds: this.#real.wallNanoseconds }, seconds });
  }

  read(): void {
    this.#real.read();
    this.monoNs = this.#real.monoNs;
    this.wallSeconds = this.shifted(this.#real.wallSeconds, this.#real.wallNanoseconds);
    this.wallNanoseconds = this.#real.wallNanoseconds;
  }

  suspendedNs(): number {
    return this.#real.suspendedNs();
  }

  /** The seconds that a reading of the true clock would have shown: with every step that came before it. */
  shifted(seconds: number, nanoseconds: number): number {
    return this.#steps
      .filter(({ at }) => differenceNs(seconds, nanoseconds, at.seconds, at.nanoseconds) >= 0)
      .reduce((sum, step) => sum + step.seconds, seconds);
  }
}

/** Shows the engine the kernel's stamps as the stepped clock would have made them. */
export class SteppedTransport implements Transport {
  readonly #kernel: Transport;
  readonly #clock: SteppedClock;
  readonly #afterSend: () => void;

  /** `afterSend` is called when packets have left, before anything is read: the moment to step the clock. */
  constructor(kernel: Transport, clock: SteppedClock, afterSend: () => void) {
    this.#kernel = kernel;
    this.#clock = clock;
    this.#afterSend = afterSend;
  }

  get name(): string {
    return this.#kernel.name;
  }

  get outgoing(): Transport['outgoing'] {
    return this.#kernel.outgoing;
  }

  readDrops(): number {
    return this.#kernel.readDrops();
  }

  prepare(...args: Parameters<Transport['prepare']>): void {
    this.#kernel.prepare(...args);
  }

  send(count: number, cookies: Int32Array, events: TransportEvents): void {
    this.#kernel.send(count, cookies, this.#shifting(events));
    this.#afterSend();
  }

  receive(events: TransportEvents): void {
    this.#kernel.receive(this.#shifting(events));
  }

  close(): void {
    this.#kernel.close();
  }

  #shifting(events: TransportEvents): TransportEvents {
    const clock = this.#clock;
    return {
      onRead: () => events.onRead(),
      onSent: (cookie) => events.onSent(cookie),
      onRefused: (cookie, errno) => events.onRefused(cookie, errno),
      onTxStamp: (cookie, seconds, nanoseconds) =>
        events.onTxStamp(cookie, clock.shifted(seconds, nanoseconds), nanoseconds),
      onIcmpError: (datagram: Datagram, error: IcmpError) => events.onIcmpError(datagram, error),
      onDatagram(datagram: Datagram): void {
        const { seconds } = datagram;
        datagram.seconds = clock.shifted(seconds, datagram.nanoseconds);
        events.onDatagram(datagram);
        datagram.seconds = seconds;
      },
    };
  }
}

/** Lets this much true time pass without giving up the processor. */
export function spin(ms: number): void {
  const endNs = process.hrtime.bigint() + BigInt(Math.round((ms * NS_PER_S) / 1000));
  while (process.hrtime.bigint() < endNs);
}
