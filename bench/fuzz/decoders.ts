/** Every decoder of packets, with what must be true of its answer whatever the octets are. TLVs: tlv-decoders.ts. */

import { blankEchoProbe, decodeEchoReply, decodeQuotedEcho, ICMP_HEADER_BYTES } from '../../src/wire/icmp-echo.ts';
import {
  blankReflectorPacket,
  blankSenderPacket,
  decodeReflectorPacket,
  decodeSenderPacket,
  STAMP_BASE_BYTES,
} from '../../src/wire/stamp.ts';
import { decodeAuthReflectorPacket, decodeAuthSenderPacket } from '../../src/wire/stamp-auth.ts';
import { AUTHENTICATED, UNAUTHENTICATED } from '../../src/wire/stamp-mode.ts';
import { blankStampQuote, decodeStampQuote } from '../../src/wire/stamp-quote.ts';
import { decodeTwampLightReply, decodeTwampLightRequest } from '../../src/wire/twamp-light.ts';
import { ECHO_SESSION } from './templates.ts';
import { MAC, tlvDecoders } from './tlv-decoders.ts';
import type { Decoder } from './decoder.ts';

/** Octets of our own ICMP probe with the smallest payload. */
const ECHO_BYTES_MIN = ICMP_HEADER_BYTES + 24;
const NS_PER_S = 1_000_000_000;

/** A fresh set; each decoder fills a value of its own again and again. */
export function decoders(): Decoder[] {
  return [...stampDecoders(), ...authenticatedDecoders(), ...twampDecoders(), ...echoDecoders(), ...tlvDecoders()];
}

function stampDecoders(): Decoder[] {
  const request = blankSenderPacket();
  const reply = blankReflectorPacket();
  const quote = blankStampQuote();
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
    ...[UNAUTHENTICATED, AUTHENTICATED].map(
      (mode): Decoder => ({
        name: `quoted STAMP request, ${mode.baseBytes} octets`,
        decode: (view, offset, length) => decodeStampQuote(view, offset, length, mode, quote),
        permits: (answer, _view, _offset, length) => answer === (length < 4 ? 'short' : 'ok') && quote.ssid <= 0xffff,
      }),
    ),
  ];
}

function authenticatedDecoders(): Decoder[] {
  const request = blankSenderPacket();
  const reply = blankReflectorPacket();
  return [
    {
      name: 'authenticated STAMP request',
      decode: (view, offset, length) => decodeAuthSenderPacket(view, offset, length, MAC, request),
      permits: permitsAuthenticated,
    },
    {
      name: 'authenticated STAMP reply',
      decode: (view, offset, length) => decodeAuthReflectorPacket(view, offset, length, MAC, reply),
      permits: permitsAuthenticated,
    },
  ];
}

function twampDecoders(): Decoder[] {
  const request = blankSenderPacket();
  const reply = blankReflectorPacket();
  return [
    {
      name: 'TWAMP Light request',
      decode: (view, offset, length) => decodeTwampLightRequest(view, offset, length, request),
      permits: (answer, _view, _offset, length) => permitsFrom(14, answer, length) && request.ssid === 0,
    },
    {
      name: 'TWAMP Light reply',
      decode: (view, offset, length) => decodeTwampLightReply(view, offset, length, reply),
      permits: (answer, _view, _offset, length) => permitsFrom(41, answer, length),
    },
  ];
}

function echoDecoders(): Decoder[] {
  const echo = blankEchoProbe();
  const quoted = blankEchoProbe();
  return [
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
  return permitsFrom(STAMP_BASE_BYTES, answer, length);
}

function permitsFrom(bytesMin: number, answer: string, length: number): boolean {
  return length < bytesMin ? answer === 'short' : answer === 'ok' || answer === 'bad_timestamp';
}

/** No template is signed with this key, so nothing may pass. */
function permitsAuthenticated(answer: string, _view: DataView, _offset: number, length: number): boolean {
  return answer === (length < AUTHENTICATED.baseBytes ? 'short' : 'bad_mac');
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
