/** Whether the two ends of a STAMP path tell the same: what the sender counted, and what the reflector did. Pure. */

import { NS_PER_MS } from '../base/units.ts';
import type { OutcomeCounts } from './outcomes.ts';

/** What the sender says of a path's window. */
export interface SenderAccount {
  counts: Pick<OutcomeCounts, 'received' | 'lost' | 'void' | 'late' | 'duplicate'>;
  /** As far as the reflector numbers its replies; see `directional-loss.ts`. */
  direction: { forward: number; reverse: number; unresolved: number; open: number } | null;
  /** Mean interval for a Poisson schedule. */
  intervalMs: number;
  schedule: 'periodic' | 'poisson';
  tickMs: number;
  tmaxMs: number;
  /** Largest net round trip of the window; null without samples. */
  rttMaxNs: number | null;
  end: EndOfPath;
}

/** What the reflector says of the same window. */
export interface ReflectorAccount {
  /** Null: it does not count this session. */
  session: { received: number; replied: number } | null;
  end: EndOfPath;
}

export interface EndOfPath {
  /** Whether its agent may have run through a part of the window only. */
  partial: boolean;
  /** Bound of its clock's error; null: not known. */
  clockErrorNs: number | null;
}

/** Why there is no verdict. */
type Unknown = 'no_document' | 'not_reflected' | 'partial_window' | 'clock_unknown';

export interface Reconciliation {
  verdict: 'agrees' | 'disputed' | 'unknown';
  /** Null for a verdict that is known. */
  reason: Unknown | null;
  /** Probes that the sender handed to its kernel. */
  sent: number;
  /** Probes by which the ends may differ; without the clocks' part as long as that is not known. */
  tolerance: number;
}

/** Probes in flight at an edge of the window are less than one more than edge over interval; one more for a new phase. */
const EDGE_PROBES = 2;
/** A Poisson number exceeds its mean by this many standard deviations less than once in a million windows. */
const POISSON_DEVIATIONS = 5;

/** @param reflector null when it has sent no document for the window */
export function reconcile(sender: SenderAccount, reflector: ReflectorAccount | null): Reconciliation {
  const { received, lost, void: voided } = sender.counts;
  const sent = received + lost + voided;
  const clockNs = reflector && clockBoundNs(sender.end, reflector.end, sent * sender.intervalMs * NS_PER_MS);
  const tolerance = toleranceOf(sender, clockNs ?? 0);
  const unknown = (reason: Unknown): Reconciliation => ({ verdict: 'unknown', reason, sent, tolerance });
  if (reflector === null) return unknown('no_document');
  if (reflector.session === null) return unknown('not_reflected');
  if (sender.end.partial || reflector.end.partial) return unknown('partial_window');
  if (isWithin(sender, sent, reflector.session, tolerance)) return { verdict: 'agrees', reason: null, sent, tolerance };
  // Clocks that nobody vouches for may stand so far apart that the two have counted different probes.
  if (clockNs === null) return unknown('clock_unknown');
  return { verdict: 'disputed', reason: null, sent, tolerance };
}

/**
 * Every probe that came back was answered, and so was every one whose reply was lost; none that was lost on the way there
 * was. What the reflector received and, by its own account, did not answer may be in either of the sender's directions.
 */
function isWithin(
  { counts, direction }: SenderAccount,
  sent: number,
  session: { received: number; replied: number },
  tolerance: number,
): boolean {
  // The directions of losses of earlier windows that only this window's replies have told.
  const carried = direction
    ? Math.max(0, direction.forward + direction.reverse + direction.unresolved + direction.open - counts.lost)
    : 0;
  const forward = Math.max(0, (direction?.forward ?? 0) - carried);
  const reverse = Math.max(0, (direction?.reverse ?? 0) - carried - (session.received - session.replied));
  // A probe duplicated on the way there is received, and answered, twice.
  const most = sent + counts.duplicate + tolerance;
  const isAnswered = session.replied >= counts.received + reverse - tolerance && session.replied <= most - forward;
  return isAnswered && session.received <= most;
}

/**
 * Each end cuts its windows by its own clock, the sender by when a probe is due, the reflector by when it arrives. What
 * falls due within this time before an edge may arrive behind it.
 */
function toleranceOf(sender: SenderAccount, clockNs: number): number {
  const { counts, intervalMs, schedule, tickMs, tmaxMs, rttMaxNs } = sender;
  // Nothing that took longer than Tmax was received, whatever the document says.
  const delayMs = rttMaxNs === null ? tmaxMs : Math.min(tmaxMs, Math.max(0, rttMaxNs) / NS_PER_MS);
  // A probe later than that is missed, see `decideDue`.
  const sendingMs = tickMs + intervalMs / 2;
  const mean = (delayMs + sendingMs + clockNs / NS_PER_MS) / intervalMs;
  const spread = schedule === 'poisson' ? POISSON_DEVIATIONS * Math.sqrt(mean) : 0;
  return Math.ceil(mean + spread) + EDGE_PROBES + counts.late;
}

/** Null when there is none, or when it is as long as what was sent took: within that, any two counts would agree. */
function clockBoundNs(a: EndOfPath, b: EndOfPath, sentNs: number): number | null {
  if (a.clockErrorNs === null || b.clockErrorNs === null) return null;
  const boundNs = a.clockErrorNs + b.clockErrorNs;
  return boundNs < sentNs ? boundNs : null;
}
