/** Decides what becomes of a probe at a moment: wait, send, or admit that it was missed. */

export type DueDecision = 'wait' | 'send' | 'missed';

/**
 * A probe that falls due is sent by the first tick after it. Being carried by that tick is not lateness; a probe that
 * is later than half an interval beyond it is missed, and never sent as part of a catch-up burst. All times in ns.
 */
export function decideDue(dueNs: number, nowNs: number, intervalNs: number, tickNs: number): DueDecision {
  if (dueNs > nowNs) return 'wait';
  return nowNs - dueNs > tickNs + intervalNs / 2 ? 'missed' : 'send';
}

/** The next moment to wake up: the first tick at or after `dueNs`, but no later than `nowNs + sleepMaxNs`. */
export function nextWakeNs(startNs: number, tickNs: number, dueNs: number, nowNs: number, sleepMaxNs: number): number {
  const target = Math.min(dueNs, nowNs + sleepMaxNs);
  return Math.max(nowNs, startNs + Math.ceil((target - startNs) / tickNs) * tickNs);
}
