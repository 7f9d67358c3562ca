/** The hash chain of one PoP: whether a document fits between the neighbours that are already stored. */

/** What the chain knows of a document. */
export interface ChainLink {
  sequence: number;
  digest: string;
  /** Digest of the document with `sequence - 1`; null at the start of a chain. */
  prev: string | null;
}

/** The stored documents of the same PoP at `sequence - 1`, `sequence` and `sequence + 1`; null where none is stored. */
export interface ChainNeighbours {
  before: ChainLink | null;
  same: ChainLink | null;
  after: ChainLink | null;
}

export type ChainVerdict =
  | { verdict: 'fits' }
  | { verdict: 'duplicate' }
  | { verdict: 'conflict'; expected: string; found: string };

/**
 * Documents may arrive in any order and with gaps, so each is judged only by its direct neighbours: whichever order a
 * set of documents arrives in, a stored pair of neighbours always agrees. `prev: null` starts a chain, so it conflicts
 * with a stored predecessor like any other wrong digest.
 */
export function judgeLink(link: ChainLink, { before, same, after }: ChainNeighbours): ChainVerdict {
  if (same !== null) {
    if (same.digest === link.digest) return { verdict: 'duplicate' };
    return conflict(`document ${link.sequence} with digest ${same.digest}, as stored`, `digest ${link.digest}`);
  }
  if (before !== null && before.digest !== link.prev) {
    return conflict(`prev ${before.digest}, the digest of document ${before.sequence}`, `prev ${link.prev}`);
  }
  if (after !== null && after.prev !== link.digest) {
    return conflict(`digest ${after.prev}, which document ${after.sequence} names as prev`, `digest ${link.digest}`);
  }
  return { verdict: 'fits' };
}

function conflict(expected: string, found: string): ChainVerdict {
  return { verdict: 'conflict', expected, found };
}
