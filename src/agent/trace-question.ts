/** The question `POST /v1/trace`: which peer, and over which IP version. */

import type { IpFamily } from '../base/ip-address.ts';
import { malformedQuestion, parseQuestion } from './question.ts';

export interface TraceQuestion {
  peer: string;
  /** null: whichever the peer has. */
  family: IpFamily | null;
}

const EXPECTED = '{"peer": NAME} as JSON, with "family": "ipv4" or "ipv6" if it matters';

/** Reads `{"peer": "sin1", "family": "ipv6"}`; the family may be left out. Throws `malformed` for anything else. */
export function readTraceQuestion(text: string): TraceQuestion {
  const { peer, family = null } = parseQuestion(text, ['peer', 'family'], EXPECTED);
  if (typeof peer !== 'string') throw malformedQuestion(EXPECTED, 'no peer');
  if (family === null || family === 'ipv4' || family === 'ipv6') return { peer, family };
  throw malformedQuestion(EXPECTED, `family ${JSON.stringify(family)}`);
}
