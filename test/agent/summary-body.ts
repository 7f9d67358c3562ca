/** Between a summary as objects, which tests read and build, and as the agent holds it: its peers as JSON text. */

import type { SummaryBody } from '../../src/agent/seal.ts';
import type { Summary, SummaryPeer } from '../../src/protocol/summary.ts';

/** The peers of a body as objects. */
export function peersOf(body: SummaryBody | undefined): SummaryPeer[] {
  return (body?.peers ?? []).map((text) => JSON.parse(text) as SummaryPeer);
}

/** A whole summary without its place in the chain, as the agent would hold it. */
export function bodyOf({ sequence: _, prev: __, peers, ...rest }: Summary): SummaryBody {
  return { ...rest, peers: peers.map((peer) => JSON.stringify(peer)) };
}
