/** Every decoder of packets, with what must be true of its answer whatever the octets are. */

import {
  blankEchoProbe,
  decodeEchoReply,
  decodeQuotedEcho,
  type EchoDecoding,
  type EchoQuoteDecoding,
  ICMP_HEADER_BYTES,
} from '../../src/wire/icmp-echo.ts';
import {
  blankReflectorPacket,
  blankSenderPacket,
  decodeReflectorPacket,
  decodeSenderPacket,
  STAMP_BASE_BYTES,
  type StampDecoding,
} from '../../src/wire/stamp.ts';
import { ECHO_SESSION } from './templates.ts';

/** Octets of our own ICMP probe with the smallest payload. */
const ECHO_BYTES_MIN = ICMP_HEADER_BYTES + 24;
const NS_PER_S = 1_000_000_000;

export interface Decoder {
  name: string;
  decode: (view: DataView, offset: number, length: number) => StampDecoding | EchoDecoding | EchoQuoteDecoding;
  /** Whether an answer is one that these octets may get; called after `decode`, whose fields it may look at. */
  permits: (answer: string, view: DataView, offset: number, length: number) => boolean;
}

/** A fresh set; each decoder fills a value of its own again and again. */
export function decoders(): Decoder[] {
  const request = blankSenderPacket();
  const reply = blankReflectorPacket();
  const echo = blankEchoProbe();
  const quoted = blankEchoProbe();
  return [
    {
      name: 'STAMP request',
      decode: (view, offset, length) => decodeSenderPacket(view, offset, length, request),
      permits: (answer, _view, _offset, length) =>
        permitsStamp(answer, length) && (answer !== 'ok' || isInstant(request.t1)),
    },
    {
      name: 'STAMP reply',
      decode: (view, offset, length) => decodeReflectorPacket(view, offset, length, reply),
      permits: (answer, _view, _offset, length) =>
        permitsStamp(answer, length) && (answer !== 'ok' || [reply.senderT1, reply.t2, reply.t3].every(isInstant)),
    },
    {
      name: 'echo reply',
      decode: (view, offset, length) => decodeEchoReply(view, offset, length, ECHO_SESSION, echo),
      permits: (answer, view, offset, length) =>
        permitsEcho(answer, length, ['ok', 'short', 'not_reply', 'foreign', 'corrupt']) &&
        (answer !== 'ok' || (view.getUint16(offset) === 0 && isChecksumRight(view, offset, length))),
    },
    {
      name: 'quoted echo',
      decode: (view, offset, length) => decodeQuotedEcho(view, offset, length, ECHO_SESSION, quoted),
      permits: (answer, view, offset, length) =>
        permitsQuote(answer, length) &&
        (answer !== 'ok' || (view.getUint8(offset) === 8 && quoted.session === ECHO_SESSION)),
    },
  ];
}

function permitsStamp(answer: string, length: number): boolean {
  return length < STAMP_BASE_BYTES ? answer === 'short' : answer === 'ok' || answer === 'bad_timestamp';
}

function permitsEcho(answer: string, length: number, known: readonly string[]): boolean {
  return length < ECHO_BYTES_MIN ? answer === 'short' : answer !== 'short' && known.includes(answer);
}

/** A router may quote no more than the header, which does not say whose the request was (RFC 792). */
function permitsQuote(answer: string, length: number): boolean {
  if (length < ICMP_HEADER_BYTES) return answer === 'short';
  return ['ok', 'header', 'not_request', 'foreign'].includes(answer);
}

function isInstant({ seconds, nanoseconds }: { seconds: number; nanoseconds: number }): boolean {
  return seconds >= 0 && seconds < 2 ** 32 && nanoseconds >= 0 && nanoseconds < NS_PER_S;
}

/** RFC 1071, octet by octet: written in another way than the product's. */
function isChecksumRight(view: DataView, offset: number, length: number): boolean {
  let sum = 0;
  for (let at = 0; at < length; at += 1) sum += view.getUint8(offset + at) * (at % 2 === 0 ? 256 : 1);
  return sum > 0 && sum % 0xffff === 0;
}
