/** Between a summary as objects, which tests read and build, and as the agent holds it: its peers as JSON text. */

import { FramedText } from '../../src/agent/framed-text.ts';
import type { SummaryBody } from '../../src/agent/seal.ts';
import type { Summary, SummaryPeer } from '../../src/protocol/summary.ts';

/** The peers of a body as objects. */
export function peersOf(body: SummaryBody | undefined): SummaryPeer[] {
  return JSON.parse(`[${Buffer.from(body?.peers.octets ?? []).toString()}]`) as SummaryPeer[];
}

/** A whole summary without its place in the chain, as the agent would hold it. */
export function bodyOf({ sequence: _, prev: __, peers, ...rest }: Summary): SummaryBody {
  return { ...rest, peers: textOf(peers.map((peer) => JSON.stringify(peer)).join(',')) };
}

/** A body that stays as it is when the summarizer goes on to the next window. */
export function copyOf(body: SummaryBody): SummaryBody {
  return { ...body, peers: textOf(Buffer.from(body.peers.octets).toString()) };
}

function textOf(text: string): FramedText {
  const framed = new FramedText();
  framed.append(text);
  return framed;
}
