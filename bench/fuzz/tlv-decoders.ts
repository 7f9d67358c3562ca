/** The two readers of TLVs as fuzzed decoders: a reflector's answer, and a sender's reading of one. */

import { HmacSha256Mac } from '../../src/probe/packet-mac.ts';
import { AUTHENTICATED, type StampMode, UNAUTHENTICATED } from '../../src/wire/stamp-mode.ts';
import { blankTlvFacts } from '../../src/wire/stamp-tlv-facts.ts';
import { reflectTlvs } from '../../src/wire/stamp-tlv-reflect.ts';
import { readReplyTlvs } from '../../src/wire/stamp-tlv-reply.ts';
import { blankTlvValues } from '../../src/wire/stamp-tlv-values.ts';
import type { Decoder } from './decoder.ts';

/** A key that no template knows. */
export const MAC = new HmacSha256Mac(new Uint8Array(32).fill(7));

/** Room for the longest packet, what stands before it and the guards. */
const REPLY_BYTES = 4096;
const REPLY_AT = 64;
/** Octets on either side of the reply that must stay as they are. */
const GUARD_BYTES = 16;
const GUARD = 0xa5;

const VERDICTS = ['none', 'answered', 'malformed', 'bad_mac'];
const READINGS = ['none', 'ok', 'truncated', 'malformed', 'refused', 'bad_mac'];

/** One of each for both modes. */
export function tlvDecoders(): Decoder[] {
  return [UNAUTHENTICATED, AUTHENTICATED].flatMap((mode) => [reflecting(mode), reading(mode)]);
}

function reflecting(mode: StampMode): Decoder {
  const facts = blankTlvFacts(mode, mode.authenticated ? MAC : null);
  const octets = new Uint8Array(REPLY_BYTES);
  const reply = new DataView(octets.buffer);
  // The reply's own sequence number is written even where nothing else is.
  const before = octets.subarray(REPLY_AT - GUARD_BYTES, REPLY_AT);
  const behind = (length: number): Uint8Array => {
    const end = REPLY_AT + Math.max(4, length);
    return octets.subarray(end, end + GUARD_BYTES);
  };
  return {
    name: `reflected TLVs behind ${mode.baseBytes} octets`,
    decode(view, offset, length) {
      before.fill(GUARD);
      behind(length).fill(GUARD);
      return reflectTlvs(view, offset, length, reply, REPLY_AT, facts);
    },
    permits: (answer, _view, _offset, length) =>
      VERDICTS.includes(answer) &&
      (answer === 'none') === length <= mode.baseBytes &&
      isUntouched(before) &&
      isUntouched(behind(length)),
  };
}

function isUntouched(guard: Uint8Array): boolean {
  return guard.every((octet) => octet === GUARD);
}

function reading(mode: StampMode): Decoder {
  const values = blankTlvValues();
  return {
    name: `TLVs of a reply behind ${mode.baseBytes} octets`,
    decode: (view, offset, length) =>
      readReplyTlvs(view, offset, length, mode, mode.authenticated ? MAC : null, values),
    permits: (answer, _view, _offset, length) =>
      READINGS.includes(answer) &&
      (answer === 'none') === length <= mode.baseBytes &&
      (values.classOfService.state !== 'ok' || values.classOfService.dscp < 64),
  };
}
