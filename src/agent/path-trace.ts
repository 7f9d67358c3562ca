/** Traces the route to a peer: hop by hop until the destination answers, or nobody does any more. */

import type { Clock } from '../base/clock.ts';
import type { IpFamily } from '../base/ip-address.ts';
import { LIMITS } from '../base/limits.ts';
import { MS_PER_S, NS_PER_MS, NS_PER_US } from '../base/units.ts';
import type { PathTrace, TraceAnswer, TraceHop } from '../protocol/record.ts';

/** Where a trace goes, and why. */
export interface TraceTarget {
  peer: string;
  family: IpFamily;
  address: string;
  reason: PathTrace['reason'];
}

/** Sends single probes to one target; `trace-session.ts` is the real one. */
export interface HopProber {
  /** One probe with this TTL. Rejects when this host does not send it, or when the prober is closed. */
  probe(ttl: number): Promise<TraceAnswer>;
  close(): unknown;
}

/** What a trace needs of its surroundings. */
export interface TraceTools {
  clock: Clock;
  /** Rejects when this host does not permit it. */
  open(target: TraceTarget): Promise<HopProber>;
}

/** The destination's own answer, and that of a router on the way (RFC 792, RFC 4443). */
const ICMP_TYPES: Record<IpFamily, { reply: number; timeExceeded: number }> = {
  ipv4: { reply: 0, timeExceeded: 11 },
  ipv6: { reply: 129, timeExceeded: 3 },
};

/** EPERM, in the C library's words: raw-socket tells no more than those. */
const NOT_PERMITTED = 'Operation not permitted';

/**
 * Runs one trace. Never rejects: a trace that this host could not run is evidence too, and says so.
 *
 * @param signal ends it early; its reason becomes the trace's failure
 */
export async function tracePath(target: TraceTarget, tools: TraceTools, signal: AbortSignal): Promise<PathTrace> {
  const { clock } = tools;
  clock.read();
  const startNs = clock.monoNs;
  const startedMs = clock.wallSeconds * MS_PER_S + Math.floor(clock.wallNanoseconds / NS_PER_MS);
  const hops: TraceHop[] = [];
  const failure = await walk(target, tools, signal, hops);
  clock.read();
  return {
    peer: target.peer,
    family: target.family,
    address: target.address,
    reason: target.reason,
    started_at: new Date(startedMs).toISOString(),
    duration_us: Math.round((clock.monoNs - startNs) / NS_PER_US),
    outcome: failure === null ? outcomeOf(target, hops) : 'failed',
    failure: failure?.slice(0, LIMITS.traceFailureCharactersMax) ?? null,
    hops,
  };
}

/** Fills `hops`; returns what kept this host from going on, or null. */
async function walk(
  target: TraceTarget,
  tools: TraceTools,
  signal: AbortSignal,
  hops: TraceHop[],
): Promise<string | null> {
  const tooLong = AbortSignal.timeout(LIMITS.traceMsMax);
  const ending = AbortSignal.any([signal, tooLong]);
  let prober: HopProber;
  try {
    prober = await tools.open(target);
  } catch (error) {
    const message = messageOf(error);
    const remedy = message === NOT_PERMITTED ? '; the agent needs CAP_NET_RAW' : '';
    return `this host opens no raw ICMP socket: ${message}${remedy}`;
  }
  const close = (): unknown => prober.close();
  ending.addEventListener('abort', close);
  try {
    for (let ttl = 1; ttl <= LIMITS.traceHopsMax && !isEnd(target, hops); ttl += 1) {
      ending.throwIfAborted();
      const probes = Array.from({ length: LIMITS.traceProbesPerHop }, () => prober.probe(ttl));
      hops.push({ ttl, answers: await Promise.all(probes) });
    }
    return null;
  } catch (error) {
    if (tooLong.aborted) return `not done after ${LIMITS.traceMsMax / MS_PER_S} s`;
    return signal.aborted ? messageOf(signal.reason) : `this host did not send: ${messageOf(error)}`;
  } finally {
    ending.removeEventListener('abort', close);
    close();
  }
}

function outcomeOf({ family }: TraceTarget, hops: readonly TraceHop[]): 'reached' | 'incomplete' {
  const { reply } = ICMP_TYPES[family];
  return hops.at(-1)?.answers.some((answer) => answer.icmp_type === reply) === true ? 'reached' : 'incomplete';
}

/** Whether further hops would show nothing new: the destination is there, no probe went on, or nobody answers any more. */
function isEnd({ family }: TraceTarget, hops: readonly TraceHop[]): boolean {
  const { reply, timeExceeded } = ICMP_TYPES[family];
  const types = hops.at(-1)?.answers.map((answer) => answer.icmp_type) ?? [];
  if (types.includes(reply)) return true;
  if (types.some((type) => type !== null)) return !types.includes(timeExceeded);
  const last = hops.slice(-LIMITS.traceSilentHopsMax);
  return last.length === LIMITS.traceSilentHopsMax && last.every(isSilent);
}

function isSilent(hop: TraceHop): boolean {
  return hop.answers.every((answer) => answer.icmp_type === null);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
