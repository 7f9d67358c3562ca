/** Compares the outages that a pair had in the network with those that its agent saw, by their bad seconds. */

import { MS_PER_S } from '../base/units.ts';
import { letterOf, type SecondLetter } from '../stats/seconds.ts';
import { EDGE_MS } from './window-edge.ts';

/** Probes of a pair in one second, as the network counted them. */
export interface SecondProbes {
  readonly sent: number;
  readonly lost: number;
}

/** Bad seconds without a good one between them. */
export interface Outage {
  /** Unix time of the first bad second. */
  readonly startS: number;
  /** From the first bad second to the last, both included. */
  readonly lengthS: number;
}

export interface OutageComparison {
  readonly truth: readonly Outage[];
  readonly agent: readonly Outage[];
  /** Those that the other side does not have, with their start and end within one second. */
  readonly unmatched: { readonly truth: readonly Outage[]; readonly agent: readonly Outage[] };
}

/** A second that both sides know. */
interface JudgedSecond {
  readonly second: number;
  readonly probes: SecondProbes;
  readonly truth: SecondLetter;
  /** Becomes the truth's where either letter is right. */
  agent: SecondLetter;
}

/** A run of bad seconds, by places in the list of judged ones. */
interface Run {
  readonly first: number;
  readonly last: number;
}

/**
 * Seconds that either side does not know are left out on both: they neither begin, end nor interrupt an outage.
 *
 * A probe belongs to the agent's second by when it fell due and to the network's by when it entered it. So the start and the
 * end of an outage may differ by one second, and a second of about half its probes lost may be bad for one side only.
 */
export function compareOutages(
  truth: ReadonlyMap<number, SecondProbes>,
  agent: ReadonlyMap<number, SecondLetter>,
): OutageComparison {
  const seconds = judgedSeconds(truth, agent);
  excuse(seconds);
  const runsOfTruth = badRuns(seconds, ({ truth: letter }) => letter);
  const runsOfAgent = badRuns(seconds, ({ agent: letter }) => letter);
  const unmatched = withoutPartners(runsOfTruth, runsOfAgent);
  const outages = (runs: readonly Run[]): Outage[] => runs.map((run) => outageOf(seconds, run));
  return {
    truth: outages(runsOfTruth),
    agent: outages(runsOfAgent),
    unmatched: { truth: outages(unmatched.ours), agent: outages(unmatched.theirs) },
  };
}

function judgedSeconds(
  truth: ReadonlyMap<number, SecondProbes>,
  agent: ReadonlyMap<number, SecondLetter>,
): JudgedSecond[] {
  const seconds: JudgedSecond[] = [];
  for (const [second, probes] of truth) {
    const ofTruth = letterOf(probes.sent - probes.lost, probes.lost);
    const ofAgent = agent.get(second) ?? 'u';
    if (ofTruth !== 'u' && ofAgent !== 'u') seconds.push({ second, probes, truth: ofTruth, agent: ofAgent });
  }
  return seconds.sort((a, b) => a.second - b.second);
}

/**
 * Takes the truth's letter where both are right. One second alone may be, if its loss is close to half. More in a row may be
 * only if each of them lost some of its probes and not all: with one probe a second every second is close to half.
 */
function excuse(seconds: readonly JudgedSecond[]): void {
  let first = 0;
  for (let end = 1; end <= seconds.length; end += 1) {
    const disagrees = differs(seconds[end - 1]);
    if (disagrees && differs(seconds[end])) continue;
    const run = seconds.slice(first, end);
    if (disagrees && run.every(isClose) && (run.length === 1 || run.every(isPartial)))
      for (const second of run) second.agent = second.truth;
    first = end;
  }
}

function differs(second: JudgedSecond | undefined): boolean {
  return second !== undefined && second.truth !== second.agent;
}

/** Whether the probes at its two edges could have made it the other letter: one each at least. */
function isClose({ probes: { sent, lost } }: JudgedSecond): boolean {
  return Math.abs(2 * lost - sent) <= 2 * Math.max(1, (sent * EDGE_MS) / MS_PER_S);
}

function isPartial({ probes: { sent, lost } }: JudgedSecond): boolean {
  return lost > 0 && lost < sent;
}

function badRuns(seconds: readonly JudgedSecond[], letter: (second: JudgedSecond) => SecondLetter): Run[] {
  const runs: Run[] = [];
  let first = -1;
  for (const [index, second] of seconds.entries()) {
    if (letter(second) !== 'b') {
      first = -1;
      continue;
    }
    if (first < 0) first = index;
    else runs.pop();
    runs.push({ first, last: index });
  }
  return runs;
}

/** Both lists are in the order of time, so the first that fits is the right one. */
function withoutPartners(ours: readonly Run[], theirs: readonly Run[]): { ours: Run[]; theirs: Run[] } {
  const free = [...theirs];
  const alone = ours.filter((run) => {
    const partner = free.findIndex(
      ({ first, last }) => Math.abs(first - run.first) <= 1 && Math.abs(last - run.last) <= 1,
    );
    if (partner >= 0) free.splice(partner, 1);
    return partner < 0;
  });
  return { ours: alone, theirs: free };
}

function outageOf(seconds: readonly JudgedSecond[], { first, last }: Run): Outage {
  const startS = seconds[first]?.second ?? 0;
  return { startS, lengthS: (seconds[last]?.second ?? 0) - startS + 1 };
}
