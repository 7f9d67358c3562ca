/** What both ends of a path say of one window, side by side, for the mesh. Pure. */

import { type EndOfPath, type Reconciliation, reconcile } from '../stats/two-ended.ts';
import type { NewestWindow, StoredEnd, StoredPath, StoredPeer } from './store/store.ts';

/** Both accounts of a STAMP path, and whether they agree. */
export interface TwoEnded extends Reconciliation {
  /** Of the losses that the sender has seen, those whose direction the reflector's numbers tell; null without them. */
  forward_lost: number | null;
  reverse_lost: number | null;
  /** The reflector's own counts; null where it has none for this window and session. */
  reflector: { received: number; replied: number } | null;
}

/** Null for a path without a reflector. */
export function twoEnded(window: NewestWindow, { otherEnd }: StoredPeer, path: StoredPath): TwoEnded | null {
  if (path.kind !== 'stamp') return null;
  const session = otherEnd?.sessions.find(
    ({ class: name, family, flow }) => name === path.class && family === path.family && flow === path.flow,
  );
  const reflector = session ? { received: session.received, replied: session.replied } : null;
  const { counts, direction, intervalMs, rttMaxNs } = path;
  const { schedule, tickMs, tmaxMs } = window;
  const sender = { counts, direction, intervalMs, rttMaxNs, schedule, tickMs, tmaxMs, end: endOf(window) };
  return {
    ...reconcile(sender, otherEnd && { session: reflector, end: endOf(otherEnd) }),
    forward_lost: direction?.forward ?? null,
    reverse_lost: direction?.reverse ?? null,
    reflector,
  };
}

/** The verdict over a pair's paths: one dispute disputes the pair, one unknown leaves it unknown; null without STAMP. */
export function pairVerdict(paths: readonly (TwoEnded | null)[]): Reconciliation['verdict'] | null {
  const verdicts = new Set(paths.flatMap((path) => path?.verdict ?? []));
  for (const verdict of ['disputed', 'unknown', 'agrees'] as const) if (verdicts.has(verdict)) return verdict;
  return null;
}

function endOf({ isFirstOfRun, clockErrorNs }: StoredEnd): EndOfPath {
  return { partial: isFirstOfRun, clockErrorNs };
}
