/** Which key of a PoP may sign the next document of its chain. */

import type { AuditedDocument } from './audited-document.ts';

/** Another key than before: announced in a record that the one before (`from`) signed, or not. */
export interface KeyChange {
  readonly from: string;
  readonly isAnnounced: boolean;
}

/** One per chain. */
export class KeySuccession {
  #kid: string | null = null;
  /** Keys that the one in use has named as its successors. */
  readonly #announced = new Set<string>();

  /** Takes the next document; the change of the key that it shows, or null. Where a chain begins, any key may sign. */
  next({ kid, prev }: AuditedDocument): KeyChange | null {
    const from = this.#kid;
    if (kid === from) return null;
    const isAnnounced = this.#announced.has(kid);
    this.#kid = kid;
    this.#announced.clear();
    return from === null || prev === null ? null : { from, isAnnounced };
  }

  /** Takes what a document says of the next key. Only the one in use may say it. */
  hear(document: AuditedDocument): void {
    if (document.kind === 'summary' || document.event?.kind !== 'key' || document.kid !== this.#kid) return;
    this.#announced.add(document.event.kid);
  }
}
