/** Draws what is wrong with an agent's spool; nothing when all is well. */

import type { SpoolStatus } from '../agent/spool-status.ts';
import { MS_PER_S } from '../base/units.ts';
import { formatAge } from './format.ts';

/** Lines of text. `nowMs` is the wall clock, for ages. */
export function renderSpoolTrouble(spool: SpoolStatus, nowMs: number): string[] {
  const { unlisted, tooOld, dropped, lost, undeleted, quarantineDiscarded, gapsPending, gapsUndeclared, degraded } =
    spool;
  const counts = [
    ...counted(unlisted, 'waiting and not listed in memory yet'),
    ...counted(tooOld, 'too old'),
    ...counted(dropped, 'dropped by hand'),
    ...counted(lost, 'lost from the disk'),
    ...counted(quarantineDiscarded, 'deleted from the full quarantine'),
    ...counted(undeleted, 'delivered and not deleted yet'),
    ...counted(gapsPending, 'given up and not declared yet'),
    ...counted(gapsUndeclared, 'given up and never to be declared'),
  ];
  return [
    ...(degraded === null ? [] : [`spool DEGRADED for ${since(degraded.sinceMs, nowMs)}: ${degraded.reason}`]),
    ...(counts.length === 0 ? [] : [`spool: ${counts.join(', ')}`]),
  ];
}

function counted(count: number, what: string): string[] {
  return count === 0 ? [] : [`${count} ${what}`];
}

function since(sinceMs: number, nowMs: number): string {
  return formatAge(Math.max(0, Math.floor((nowMs - sinceMs) / MS_PER_S)));
}
