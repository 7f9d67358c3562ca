/** What a spool says of itself. */

import type { Degraded } from './spool-health.ts';

export interface SpoolStatus {
  /** Documents waiting for delivery, and their octets on disk. */
  documents: number;
  bytes: number;
  /** Of the documents: those that memory does not list, because the numbers are too far apart; their turn comes later. */
  unlisted: number;
  /** Since the agent started: undelivered documents given up because the spool was full. */
  discarded: number;
  /** Since the agent started: undelivered documents given up because they had waited for too long. */
  tooOld: number;
  /** Since the agent started: documents that a person has dropped. */
  dropped: number;
  /** Since the agent started: documents whose files were gone, and it was not the spool that deleted them. */
  lost: number;
  /** Since the agent started: files moved to the quarantine, torn or refused. */
  quarantined: number;
  /** Since the agent started: files deleted because the quarantine was full. */
  quarantineDiscarded: number;
  /** Documents that the collector has and that the disk does not let go: they are sent again after a restart. */
  undeleted: number;
  /** Documents given up that no signed record has declared yet. */
  gapsPending: number;
  /** Since the agent started: documents given up that no record will declare, because too many gaps wait for one. */
  gapsUndeclared: number;
  /** What the disk refuses to do, and since when; null when all is well. */
  degraded: Degraded | null;
}
