/** Draws an agent's status for a person. */

import type { AgentStatus } from '../agent/status.ts';
import { MS_PER_S } from '../base/units.ts';
import { errnoSentence } from '../linux/errno.ts';
import type { SummaryPeer } from '../protocol/summary.ts';
import { lossRatio } from '../stats/outcomes.ts';
import { formatAge, formatNs, formatRatio, formatTable, OUTCOME_HEADINGS, outcomeCells } from './format.ts';
import { renderSpoolTrouble } from './render-spool-status.ts';

/** The status as lines of text. `nowMs` is the wall clock, for ages. */
export function renderStatus(status: AgentStatus, nowMs: number): string {
  return [
    `${status.pop}: ${status.software}, up ${age(Date.parse(status.started_at), nowMs)}`,
    ...configuration(status),
    ...sockets(status),
    ...stamping(status),
    clock(status),
    signing(status),
    push(status, nowMs),
    ...collectors(status),
    spool(status),
    events(status),
    ...renderSpoolTrouble(status.spool, nowMs),
    '',
    ...windowLines(status),
    '',
  ].join('\n');
}

/** Nothing of an agent that was never told to read its configuration again. */
function configuration({ config: { digest, staged, taken, refused, lastRefusal } }: AgentStatus): string[] {
  return [
    ...(taken + refused > 0 ? [`configuration ${digest}; reloads: ${taken} taken, ${refused} refused`] : []),
    ...(lastRefusal === null ? [] : [`the last one refused: ${lastRefusal}`]),
    ...(staged === null
      ? []
      : [`configuration ${staged.digest}: from ${new Date(staged.appliesAtMs).toISOString()} on`]),
  ];
}

function sockets(status: AgentStatus): string[] {
  const carriers = new Map(
    status.sockets.map((socket) => [`${socket.kind} ${socket.transport} ${socket.errno}`, socket]),
  );
  return [...carriers.values()].map((socket) =>
    socket.errno === 0
      ? `${socket.kind} by ${socket.transport}`
      : `${socket.kind} refused by this host: ${errnoSentence(socket.errno)}`,
  );
}

function stamping({ transport_reason }: AgentStatus): string[] {
  return transport_reason === null ? [] : [`stamped by this program, not by the kernel: ${transport_reason}`];
}

function clock({ clock: { synchronised, offsetNs, maxErrorNs, source } }: AgentStatus): string {
  if (synchronised === null) return 'clock: nobody on this host says whether it is synchronised';
  if (!synchronised) return `clock not synchronised, says ${source}`;
  const offset = offsetNs === null ? '' : `, ${formatNs(Math.abs(offsetNs))} ${offsetNs < 0 ? 'behind' : 'ahead'}`;
  const error = maxErrorNs === null ? 'error not stated' : `error at most ${formatNs(maxErrorNs)}`;
  return `clock synchronised, says ${source}${offset}, ${error}`;
}

function signing({ signing: { kid, successor } }: AgentStatus): string {
  return `signs with key ${kid}${successor === null ? '' : `; to be followed by ${successor}, not announced yet`}`;
}

function push(
  { push: { lastAcceptedSequence, lastAcceptedAtMs, lastError, failuresInARow } }: AgentStatus,
  nowMs: number,
): string {
  const accepted =
    lastAcceptedAtMs === null
      ? 'the collector has accepted nothing yet'
      : `the collector accepted ${lastAcceptedSequence} ${age(lastAcceptedAtMs, nowMs)} ago`;
  return failuresInARow === 0 ? accepted : `${accepted}; ${failuresInARow} failures in a row: ${lastError ?? ''}`;
}

/** Which of several collectors is used, and what each last complained of. One alone has been told of above. */
function collectors({ push: { collectors: all } }: AgentStatus): string[] {
  if (all.length < 2) return [];
  return all.map(({ url, inUse, lastError }) => {
    const use = inUse ? 'in use' : 'not in use';
    return `collector ${url}: ${use}${lastError === null ? '' : `; last error: ${lastError}`}`;
  });
}

function spool({ spool: { documents, bytes, discarded, quarantined }, sealing }: AgentStatus): string {
  return (
    `spool: ${documents} documents, ${bytes} octets; ${discarded} discarded, ${quarantined} quarantined; ` +
    `${sealing.summaries.waiting} wait for the disk, ${sealing.summaries.discarded} given up`
  );
}

function events({ sealing: { records }, clock_steps_untold }: AgentStatus): string {
  const counts = `${records.sealed} sealed, ${records.waiting} wait for the disk, ${records.discarded} given up`;
  return `events: ${counts}${clock_steps_untold > 0 ? `; ${clock_steps_untold} clock steps too many for a record` : ''}`;
}

function windowLines(status: AgentStatus): string[] {
  if (!status.latest) return ['no window sealed yet'];
  const heading = ['peer', 'class', 'flow', 'rtt mean', 'p95', 'p99', 'loss', ...OUTCOME_HEADINGS];
  return [
    `window of ${status.latest.window.length_s} s from ${status.latest.window.start}`,
    ...formatTable([heading, ...status.latest.peers.flatMap(peerRows)]),
  ];
}

function peerRows(peer: SummaryPeer): string[][] {
  return peer.paths.map((path) => {
    const { counts, rtt } = path;
    return [
      peer.peer,
      path.class,
      String(path.flow),
      formatNs(rtt?.mean_ns),
      formatNs(rtt?.p95_ns),
      formatNs(rtt?.p99_ns),
      formatRatio(lossRatio(counts)),
      ...outcomeCells(counts),
    ];
  });
}

function age(sinceMs: number, nowMs: number): string {
  return formatAge(Math.max(0, Math.floor((nowMs - sinceMs) / MS_PER_S)));
}
