/** The list of documents that did not fit into a PoP's chain, as JSON. */

import type { StoredConflicts } from './store/store.ts';

/** All that are kept: the store bounds them. */
export interface ConflictList {
  pop: string;
  conflicts: {
    sequence: number;
    /** SHA-256 of its octets, base64url. */
    digest: string;
    kid: string;
    received_at: string;
    /** What would have fitted, and what it was. */
    expected: string;
    found: string;
    bytes: number;
  }[];
  /** How many more came when there was no room for them. */
  not_kept: number;
}

export function conflictListOf(pop: string, { kept, notKept }: StoredConflicts): ConflictList {
  return {
    pop,
    conflicts: kept.map(({ receivedAtMs, ...conflict }) => ({
      ...conflict,
      received_at: new Date(receivedAtMs).toISOString(),
    })),
    not_kept: notKept,
  };
}
