/** What has arrived at one of Node.js' own sockets and waits for the engine's next tick: bounded, stamped on arrival. */

import type { Clock } from '../base/clock.ts';
import { LIMITS } from '../base/limits.ts';
import { parseIp } from '../linux/ip-text.ts';
import { blankEndpoint, type Endpoint } from '../linux/sockaddr.ts';
import { STAMP_SOURCE } from '../ring/layout.ts';
import type { Datagram, IcmpError, TransportEvents } from './transport.ts';

/** A datagram as it is put into the queue; its octets are copied. */
export interface Arrival {
  octets: Uint8Array;
  /** Who sent it; for a quoted packet of ours, where it was going. */
  source: string;
  port: number;
  ttl: number;
  tos: number;
  /** Set where the octets are those of a packet of ours, quoted in an ICMP error. */
  error: { errno: number; type: number; code: number; offender: string } | null;
}

interface Place {
  datagram: Datagram;
  error: IcmpError;
  isError: boolean;
}

export class ArrivalQueue {
  /** Arrivals that found the queue full. */
  drops = 0;
  readonly #clock: Clock;
  readonly #payloadBytes: number;
  readonly #octets: Uint8Array;
  readonly #places: Place[];
  #first = 0;
  #length = 0;

  /** Takes stamps from `clock`; keeps up to `payloadBytes` octets of each datagram. */
  constructor(clock: Clock, payloadBytes: number, count: number = LIMITS.portableQueueDatagrams) {
    this.#clock = clock;
    this.#payloadBytes = payloadBytes;
    this.#octets = new Uint8Array(count * payloadBytes);
    const view = new DataView(this.#octets.buffer);
    this.#places = Array.from({ length: count }, (_, place) => blankPlace(view, place * payloadBytes));
  }

  /** Stamps an arrival with the present time, which is when the event loop read it. */
  push(arrival: Arrival): void {
    const place = this.#places[(this.#first + this.#length) % this.#places.length];
    if (!place || this.#length === this.#places.length) {
      this.drops += 1;
      return;
    }
    this.#clock.read();
    this.#length += 1;
    const { datagram, error } = place;
    const length = Math.min(arrival.octets.length, this.#payloadBytes);
    this.#octets.set(
      length === arrival.octets.length ? arrival.octets : arrival.octets.subarray(0, length),
      datagram.offset,
    );
    datagram.length = length;
    datagram.truncated = arrival.octets.length > length;
    setEndpoint(datagram.source, arrival.source, arrival.port);
    datagram.seconds = this.#clock.wallSeconds;
    datagram.nanoseconds = this.#clock.wallNanoseconds;
    datagram.ttl = arrival.ttl;
    datagram.tos = arrival.tos;
    place.isError = arrival.error !== null;
    if (!arrival.error) return;
    error.errno = arrival.error.errno;
    error.type = arrival.error.type;
    error.code = arrival.error.code;
    setEndpoint(error.offender, arrival.error.offender, 0);
  }

  /** Hands out everything that waits, in the order of arrival. */
  drain(events: TransportEvents): void {
    if (this.#length > 0) events.onRead();
    while (this.#length > 0) {
      const place = this.#places[this.#first];
      this.#first = (this.#first + 1) % this.#places.length;
      this.#length -= 1;
      if (place?.isError === true) events.onIcmpError(place.datagram, place.error);
      else if (place) events.onDatagram(place.datagram);
    }
  }
}

function blankPlace(view: DataView, offset: number): Place {
  return {
    datagram: {
      view,
      offset,
      length: 0,
      truncated: false,
      source: blankEndpoint(),
      stamped: true,
      stampSource: STAMP_SOURCE.user,
      seconds: 0,
      nanoseconds: 0,
      ttl: -1,
      tos: -1,
    },
    error: { errno: 0, type: 0, code: 0, offender: blankEndpoint() },
    isError: false,
  };
}

/** A link-local address comes with its zone, which is not part of the octets. */
function setEndpoint(endpoint: Endpoint, text: string, port: number): void {
  const [address = ''] = text.split('%');
  const octets = parseIp(address);
  endpoint.address.set(octets);
  endpoint.addressBytes = octets.length;
  endpoint.port = port;
}
