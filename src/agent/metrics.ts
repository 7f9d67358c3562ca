/** The agent's delivery as Prometheus reads it: text exposition format 0.0.4. */

import { MS_PER_S } from '../base/units.ts';
import type { PackedStatus } from './status.ts';

/** A metric without labels of its own; its value is undefined where there is none yet. */
interface Metric {
  name: string;
  type: 'gauge' | 'counter';
  help: string;
  value: number | undefined;
}

/** `path` is whose it is; every metric has the PoP's name as a label. */
export function metricsText(status: Omit<PackedStatus, 'latest'>): string {
  const label = `{pop="${status.pop}"}`;
  return metricsOf(status)
    .filter(({ value }) => value !== undefined)
    .flatMap(({ name, type, help, value }) => {
      const full = `popprobe_${name}`;
      return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, `${full}${label} ${value}`, ''];
    })
    .join('\n');
}

function metricsOf({ spool, sealing, push, clock_steps_untold }: Omit<PackedStatus, 'latest'>): Metric[] {
  const gauge = (name: string, help: string, value: number | undefined): Metric => ({
    name,
    type: 'gauge',
    help,
    value,
  });
  const counter = (name: string, help: string, value: number): Metric => ({ name, type: 'counter', help, value });
  const { summaries, records } = sealing;
  return [
    gauge('spool_degraded', '1 while the disk of the spool refuses something.', spool.degraded === null ? 0 : 1),
    gauge('spool_documents', 'Documents that wait on disk for delivery.', spool.documents),
    gauge('spool_octets', 'Octets of these.', spool.bytes),
    gauge('spool_unlisted', 'Documents of these that memory does not list yet.', spool.unlisted),
    gauge('spool_undeleted', 'Delivered documents that the disk does not let go.', spool.undeleted),
    gauge('gaps_pending', 'Documents given up that no record has declared yet.', spool.gapsPending),
    counter('spool_discarded_total', 'Documents given up because the spool was full.', spool.discarded),
    counter('spool_too_old_total', 'Documents given up because they had waited for too long.', spool.tooOld),
    counter('spool_dropped_total', 'Documents that a person has dropped.', spool.dropped),
    counter('spool_lost_total', 'Documents whose files were gone.', spool.lost),
    counter('quarantined_total', 'Files moved to the quarantine, torn or refused for good.', spool.quarantined),
    counter('quarantine_discarded_total', 'Files deleted from a full quarantine.', spool.quarantineDiscarded),
    counter('gaps_undeclared_total', 'Documents given up that no record will declare.', spool.gapsUndeclared),
    gauge('summaries_waiting', 'Summaries that wait in memory for the disk.', summaries.waiting),
    counter('summaries_given_up_total', 'Windows that became no document.', summaries.discarded),
    gauge('records_waiting', 'Records that wait in memory for the disk.', records.waiting),
    counter('records_sealed_total', 'Records sealed.', records.sealed),
    counter('records_given_up_total', 'Events that became no document.', records.discarded),
    counter('clock_steps_untold_total', 'Clock steps that became no record.', clock_steps_untold),
    gauge('push_failures_in_a_row', 'Tries that failed since a collector has answered for good.', push.failuresInARow),
    gauge(
      'push_accepted_timestamp_seconds',
      'When a collector last accepted a document, Unix time.',
      push.lastAcceptedAtMs === null ? undefined : push.lastAcceptedAtMs / MS_PER_S,
    ),
  ];
}
