/** Compares what one agent says of one peer with what the network did to its probes. */

import { MS_PER_S } from '../base/units.ts';
import { errnoName } from '../linux/errno.ts';
import { type AgentAccount, type AgentWindow, type KindAccount, type ProbeKind, sentOf } from './agent-account.ts';
import { compareOutages, type Outage, type OutageComparison, type SecondProbes } from './compare-outages.ts';
import type { TruthAccount } from './truth-account.ts';

/** A figure of the network, and the agent's for the same. */
interface BothSides<T> {
  readonly truth: T;
  readonly agent: T;
}

export interface PairVerdict {
  /** Probes that entered the network; those that left the agent. */
  readonly sent: BothSides<number>;
  readonly lost: BothSides<number>;
  /** Mean round trips over the run, µs; null without a sample. */
  readonly meanUs: Readonly<Record<ProbeKind, BothSides<number | null>>>;
  readonly outages: BothSides<readonly Outage[]>;
  /** Probes that never entered the network, and those that did without being measured. */
  readonly refused: number;
  readonly missed: number;
  readonly void: number;
  readonly verdict: 'ok' | 'differs';
  /** What is wrong; empty when nothing is. */
  readonly reasons: readonly string[];
  /** What is not wrong, and why. */
  readonly explanations: readonly string[];
}

/** The agent's delays begin and end in its kernel, outside the emulator's; they can be less by the rounding of stamps only. */
const DELAY_BELOW_US = 50;

const KINDS = ['stamp', 'icmp'] as const;

/** @param delayErrorUs what packets may take between the agents and the emulator, there and back, beside the booked lag. */
export function verifyPair(truth: TruthAccount, agent: AgentAccount, delayErrorUs: number): PairVerdict {
  const outages = compareOutages(truth.seconds, agent.seconds);
  const reasons = [
    ...emulatorFaults(truth),
    ...countDifferences(truth, agent),
    ...windowDifferences(truth, agent),
    ...KINDS.flatMap((kind) => kindDifferences(kind, truth, agent.kinds[kind], delayErrorUs)),
    ...unknownSeconds(truth, agent),
    ...outageDifferences(outages),
  ];
  const { refused, missed, void: voided } = agent.counts;
  return {
    sent: { truth: truth.sent, agent: sentOf(agent.counts) },
    lost: { truth: truth.lost, agent: agent.counts.lost },
    meanUs: { stamp: meansOf(truth.kinds.stamp, agent.kinds.stamp), icmp: meansOf(truth.kinds.icmp, agent.kinds.icmp) },
    outages: { truth: outages.truth, agent: outages.agent },
    refused,
    missed,
    void: voided,
    verdict: reasons.length === 0 ? 'ok' : 'differs',
    reasons,
    explanations: explanationsOf(truth, agent),
  };
}

/** Where the emulator did not do its own work, nothing can be said of an agent. */
function emulatorFaults({ sent, lost, kinds, overload }: TruthAccount): string[] {
  const answered = kinds.stamp.answered + kinds.icmp.answered;
  return [
    ...(overload > 0 ? [`overload: the emulator itself had no room for ${overload} packets`] : []),
    ...(sent === lost + answered
      ? []
      : [`truth: of ${sent} probes ${lost} were lost and ${answered} answered, which is not all`]),
  ];
}

/** Over the whole run every probe is on both sides. One that is void may have been lost in the network or not. */
function countDifferences(truth: TruthAccount, { counts }: AgentAccount): string[] {
  const sent = sentOf(counts);
  const unseen = truth.lost - counts.lost;
  return [
    ...(truth.sent === sent ? [] : [`sent: ${truth.sent} probes entered the network, the agent sent ${sent}`]),
    ...(unseen >= 0 && unseen <= counts.void
      ? []
      : [`lost: ${truth.lost} in the network, ${counts.lost} and at most ${counts.void} void by the agent`]),
  ];
}

/**
 * By the end of each window both sides have had the same probes, but for those on their way across the edge; and of these, no
 * more than they are can be lost. The first window where it is not so is named: all behind it follow from that one.
 */
function windowDifferences(truth: TruthAccount, agent: AgentAccount): string[] {
  const rising = new RisingTruth(truth.seconds);
  const reasons = new Map<string, string>();
  let [sent, lost, voided] = [0, 0, 0];
  for (const window of agent.windows) {
    sent += sentOf(window.counts);
    lost += window.counts.lost;
    voided += window.counts.void;
    rising.advance(window.startS + window.lengthS);
    const moreSent = rising.sent - sent;
    const moreLost = rising.lost - lost;
    if (Math.abs(moreSent) > window.edge) note('sent', window, moreSent);
    if (moreLost < Math.min(0, moreSent) || moreLost > voided + Math.max(0, moreSent)) note('lost', window, moreLost);
  }
  return [...reasons.values()];

  function note(what: string, window: AgentWindow, more: number): void {
    if (reasons.has(what)) return;
    const by = `${Math.abs(more)} ${more > 0 ? 'more' : 'fewer'}`;
    reasons.set(what, `${what}: ${by} in the network than by the agent up to the end of window ${window.start}`);
  }
}

/** The network's probes up to an instant. */
class RisingTruth {
  readonly #seconds: readonly (readonly [number, SecondProbes])[];
  #next = 0;
  sent = 0;
  lost = 0;

  constructor(seconds: ReadonlyMap<number, SecondProbes>) {
    this.#seconds = [...seconds];
  }

  /** Adds the seconds before `endS`. */
  advance(endS: number): void {
    for (let entry = this.#seconds[this.#next]; entry && entry[0] < endS; entry = this.#seconds[this.#next]) {
      this.sent += entry[1].sent;
      this.lost += entry[1].lost;
      this.#next += 1;
    }
  }
}

function kindDifferences(kind: ProbeKind, truth: TruthAccount, agent: KindAccount, delayErrorUs: number): string[] {
  const { answered } = truth.kinds[kind];
  const { received, void: voided } = agent.counts;
  const unseen = answered - received;
  const isReceived = unseen >= 0 && unseen <= voided;
  return [
    ...(isReceived
      ? []
      : [`${kind}: ${answered} answered in the network, ${received} and at most ${voided} void by the agent`]),
    ...delayDifferences(kind, truth, agent, delayErrorUs),
  ];
}

/**
 * The agent's delays begin and end in its kernel, the network's where the emulator reads and writes: it has booked how late it
 * read, and that is allowed for. The agent has no delay of some probes that were answered: void ones, and those under way when a clock was stepped. The mean
 * of the others in the network lies between what it would be if these had been the slowest of all, and the fastest.
 */
function delayDifferences(kind: ProbeKind, truth: TruthAccount, agent: KindAccount, delayErrorUs: number): string[] {
  const { answered, sumUs, lagSumUs } = truth.kinds[kind];
  if (answered === 0 || agent.samples === 0) return [];
  const unmeasured = Math.max(0, answered - agent.samples);
  const measured = answered - unmeasured;
  // An ICMP probe's delay has the far host in it, which no packet's has.
  const lowUs = (sumUs - unmeasured * (truth.mostUs + delayErrorUs)) / measured - DELAY_BELOW_US;
  const highUs = (sumUs + lagSumUs - unmeasured * truth.leastUs) / measured + delayErrorUs;
  const meanUs = agent.sumUs / agent.samples;
  if (meanUs >= lowUs && meanUs <= highUs) return [];
  return [`${kind}: mean round trip ${us(meanUs)} by the agent, ${us(lowUs)} to ${us(highUs)} expected`];
}

/** A second is unknown to the agent when all its probes are void, or none was sent. */
function unknownSeconds(truth: TruthAccount, agent: AgentAccount): string[] {
  for (const { start, startS, lengthS, edge, counts } of agent.windows) {
    let sent = 0;
    for (let second = startS; second < startS + lengthS; second += 1) {
      const ofSecond = truth.seconds.get(second)?.sent ?? 0;
      if (agent.seconds.get(second) === 'u') sent += Math.max(0, ofSecond - edge);
    }
    if (sent > counts.void)
      return [`seconds: ${sent} probes sent in unknown seconds of window ${start}, of which ${counts.void} are void`];
  }
  return [];
}

function outageDifferences({ unmatched: { truth, agent } }: OutageComparison): string[] {
  return [
    ...(truth.length === 0 ? [] : [`outages: ${lengths(truth)} of the network are none by the agent`]),
    ...(agent.length === 0 ? [] : [`outages: ${lengths(agent)} of the agent are none in the network`]),
  ];
}

/** How many, and the first of them. */
function lengths(outages: readonly Outage[]): string {
  const [first] = outages;
  return `${outages.length} (${first?.lengthS ?? 0} s from ${new Date((first?.startS ?? 0) * MS_PER_S).toISOString()})`;
}

function explanationsOf({ lost }: TruthAccount, { counts, refusedByErrno }: AgentAccount): string[] {
  const { refused, missed, void: voided } = counts;
  const unseen = lost - counts.lost;
  const isVoid = unseen > 0 && unseen <= voided;
  const errnos = refusedByErrno.map(([errno, probes]) => `${errnoName(errno)} ${probes}`).join(', ');
  return [
    ...(isVoid ? [`${unseen} lost in the network only: ${voided} probes are void, sent and not measured`] : []),
    ...(refused > 0 ? [`${refused} refused: the agent's own kernel did not send them (${errnos})`] : []),
    ...(missed > 0 ? [`${missed} missed: the agent was late and did not send them`] : []),
  ];
}

function meansOf(truth: TruthAccount['kinds'][ProbeKind], agent: KindAccount): BothSides<number | null> {
  return {
    truth: truth.answered === 0 ? null : truth.sumUs / truth.answered,
    agent: agent.samples === 0 ? null : agent.sumUs / agent.samples,
  };
}

function us(value: number): string {
  return `${value.toFixed(1)} µs`;
}
