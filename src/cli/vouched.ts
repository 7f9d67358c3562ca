/** Whether documents of a revoked key are vouched for: whoever has stolen a key can sign anew, and not change what others name. */

import type { ChainLink } from '../protocol/chain.ts';

/** A document and its signer. */
interface SignedLink extends ChainLink {
  readonly kid: string;
}

/** Neighbours in number that nothing vouches for. */
export interface Unvouched {
  readonly first: number;
  readonly last: number;
  readonly kid: string;
}

/**
 * Finds the documents of revoked keys from which no unbroken chain leads to a document of a sound one, behind them.
 *
 * @param documents of one PoP, by number; a number may be there several times
 */
export function unvouched(documents: readonly SignedLink[], isRevoked: (kid: string) => boolean): Unvouched[] {
  const found: Unvouched[] = [];
  /** What the vouched documents of a number name as the one before. */
  let above = { sequence: 0, prevs: new Set<string | null>() };
  let here = above;
  for (const { sequence, digest, prev, kid } of documents.toReversed()) {
    if (sequence !== here.sequence) {
      above = here;
      here = { sequence, prevs: new Set() };
    }
    if (!isRevoked(kid) || (above.sequence === sequence + 1 && above.prevs.has(digest))) here.prevs.add(prev);
    else addTo(found, sequence, kid);
  }
  return found.toReversed();
}

/** From the last to the first. */
function addTo(found: Unvouched[], sequence: number, kid: string): void {
  const behind = found.at(-1);
  const isNeighbour = behind?.kid === kid && behind.first - sequence <= 1;
  if (isNeighbour) found[found.length - 1] = { ...behind, first: sequence };
  else found.push({ first: sequence, last: sequence, kid });
}
