/** How an agent is doing, in one line for whoever looks at the host's services. */

import type { QueueStatus } from './document-queue.ts';
import type { PushStatus } from './push.ts';
import type { Reload } from './reload.ts';
import type { SpoolStatus } from './spool-status.ts';

export interface Condition {
  paths: number;
  spool: Pick<SpoolStatus, 'documents' | 'degraded'>;
  sealing: QueueStatus;
  push: Pick<PushStatus, 'failuresInARow' | 'lastError' | 'quarantined'>;
  reload: Pick<Reload, 'isRefused'>;
}

/** The worst comes first: `systemctl status` cuts what is too long. */
export function conditionLine({ paths, spool, sealing, push, reload }: Condition): string {
  const { summaries, records } = sealing;
  const inMemory = summaries.waiting + records.waiting;
  return [
    ...(spool.degraded === null ? [] : [`DEGRADED: the spool's disk refuses, ${inMemory} documents wait in memory`]),
    ...(push.failuresInARow === 0 ? [] : [`cannot deliver now, ${spool.documents} documents wait`]),
    ...(push.quarantined === 0 ? [] : [`${push.quarantined} documents were refused for good ("popprobe spool list")`]),
    // "systemctl reload" succeeds all the same: nothing in the protocol says no.
    ...(reload.isRefused ? ['the new configuration was refused ("popprobe status" says why)'] : []),
    `probing ${paths} paths`,
    ...(spool.degraded === null ? [] : [spool.degraded.reason]),
    ...(push.failuresInARow === 0 || push.lastError === null ? [] : [push.lastError]),
  ].join('; ');
}
