/** The question `POST /v1/trace`: which peer, and over which IP version. */

import { PopprobeError } from '../base/errors.ts';
import type { IpFamily } from '../base/ip-address.ts';

export interface TraceQuestion {
  peer: string;
  /** null: whichever the peer has. */
  family: IpFamily | null;
}

/** Reads `{"peer": "sin1", "family": "ipv6"}`; the family may be left out. Throws `malformed` for anything else. */
export function readTraceQuestion(text: string): TraceQuestion {
  const question = parse(text);
  const unknown = Object.keys(question).find((key) => key !== 'peer' && key !== 'family');
  if (unknown !== undefined) throw malformed(`the member ${JSON.stringify(unknown)}`);
  const { peer, family = null } = question;
  if (typeof peer !== 'string') throw malformed('no peer');
  if (family !== null && family !== 'ipv4' && family !== 'ipv6') throw malformed(`family ${JSON.stringify(family)}`);
  return { peer, family };
}

function parse(text: string): { peer?: unknown; family?: unknown } {
  let question: unknown;
  try {
    question = JSON.parse(text);
  } catch (cause) {
    throw malformed(cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (typeof question !== 'object' || question === null) throw malformed(JSON.stringify(question));
  return question;
}

function malformed(found: string, cause?: unknown): PopprobeError {
  return new PopprobeError('malformed', {
    expected: '{"peer": NAME} as JSON, with "family": "ipv4" or "ipv6" if it matters',
    found,
    remedy: 'send the question as docs/protocol.md says',
    cause,
  });
}
