/** Compares what the agents signed and the collector stored with what the emulated network did. Pure. */

import { MS_PER_S } from '../base/units.ts';
import { type AgentAccount, agentAccount } from './agent-account.ts';
import { emulatorErrorP99Us, meanReadLagUs } from './emulator-error.ts';
import type { LabDocument, StoredSummary } from './stored-documents.ts';
import { truthAccount } from './truth-account.ts';
import type { Truth } from './truth-file.ts';
import type { TruthRow } from './truth.ts';
import { chainFaults } from './verify-chain.ts';
import { type PairVerdict, verifyPair } from './verify-pair.ts';

export interface VerifyOptions {
  /** Every PoP of the network, in the order in which its pairs are to be listed. */
  readonly pops: readonly string[];
  /** What packets may take between the agents and the emulator, there and back, beside what the emulator has booked, µs. */
  readonly delayErrorUs?: number;
}

export interface PairVerification extends PairVerdict {
  readonly from: string;
  readonly to: string;
}

export interface Verification {
  /** `ok` when every pair is, and nothing else is wrong. */
  readonly verdict: 'ok' | 'differs';
  /** Every ordered pair that has probes, by place in `pops`. */
  readonly pairs: readonly PairVerification[];
  /** What is wrong beside the pairs: a chain with gaps, a time that the truth does not cover. */
  readonly reasons: readonly string[];
  /** The emulator's own accuracy, see `emulator-error.ts`. */
  readonly emulatorErrorP99Us: number | null;
  /** How late it read the packets of a probe; what each pair's were late by is allowed for. */
  readonly readLagUs: number | null;
}

const DELAY_ERROR_US_DEFAULT = 500;

/** @param documents of all PoPs; their signatures have been verified. */
export function verifyRun(
  truth: Truth,
  documents: readonly LabDocument[],
  { pops, delayErrorUs = DELAY_ERROR_US_DEFAULT }: VerifyOptions,
): Verification {
  const chains = pops.map((pop) => [pop, chainOf(documents, pop)] as const);
  const rows = rowsByPair(truth.rows);
  const rowsOf = (from: string, to: string): readonly TruthRow[] => rows.get(nameOf(from, to)) ?? [];
  const covered = coveredSeconds(truth);
  const pairs: PairVerification[] = [];
  const reasons = [...strangers(documents, pops), ...otherOverload(truth, pops)];
  for (const [from, chain] of chains) {
    reasons.push(...chainFaults(chain).map((fault) => `${from}: ${fault}`));
    const summaries = chain.filter(isSummary);
    const accounts = pops.filter((to) => to !== from).map((to) => ({ to, agent: agentAccount(summaries, to) }));
    reasons.push(...uncovered(covered, from, accounts));
    for (const { to, agent } of accounts) {
      const network = truthAccount(rowsOf(from, to), rowsOf(to, from));
      // Two PoPs without a family in common have nothing between them.
      if (network.sent + network.overload + agent.counts.due === 0) continue;
      pairs.push({ from, to, ...verifyPair(network, agent, delayErrorUs) });
    }
  }
  const isOk = reasons.length === 0 && pairs.every(({ verdict }) => verdict === 'ok');
  return {
    verdict: isOk ? 'ok' : 'differs',
    pairs,
    reasons,
    emulatorErrorP99Us: emulatorErrorP99Us(truth.errors),
    readLagUs: meanReadLagUs(truth.rows),
  };
}

function isSummary(document: LabDocument): document is StoredSummary {
  return document.kind === 'summary';
}

function chainOf(documents: readonly LabDocument[], of: string): LabDocument[] {
  return documents.filter(({ pop }) => pop === of).sort((a, b) => a.sequence - b.sequence);
}

function rowsByPair(rows: readonly TruthRow[]): Map<string, TruthRow[]> {
  const pairs = new Map<string, TruthRow[]>();
  for (const row of rows) {
    const name = nameOf(row.from, row.to);
    const own = pairs.get(name);
    if (own) own.push(row);
    else pairs.set(name, [row]);
  }
  return pairs;
}

function nameOf(from: string, to: string): string {
  return `${from} ${to}`;
}

/** PoPs that are not of this network: the documents or the truth are another run's. */
function strangers(documents: readonly LabDocument[], pops: readonly string[]): string[] {
  const known = new Set(pops);
  const named = documents.flatMap((document) => [document.pop, ...peersOf(document)]);
  return [...new Set(named)].filter((pop) => !known.has(pop)).map((pop) => `${pop}: no PoP of this network`);
}

function peersOf(document: LabDocument): string[] {
  return document.kind === 'summary' ? document.peers.map(({ peer }) => peer) : [];
}

/** What the emulator had no room for between hosts that are not both PoPs; between PoPs it stands with their pair. */
function otherOverload({ rows }: Truth, pops: readonly string[]): string[] {
  const others = rows.filter(({ from, to }) => !(pops.includes(from) && pops.includes(to)));
  const packets = others.reduce((sum, row) => sum + row.packets.dropped.overload, 0);
  return packets === 0
    ? []
    : [`overload: the emulator itself had no room for ${packets} packets from or to the collector`];
}

/** The first second that the truth tells of, and the last; backwards when it tells of none. */
function coveredSeconds({ rows, errors }: Truth): { firstS: number; lastS: number } {
  let [firstS, lastS] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { second } of [...rows, ...errors]) {
    firstS = Math.min(firstS, second);
    lastS = Math.max(lastS, second);
  }
  return { firstS, lastS };
}

/** A probe may fall due one second before the network has it; of seconds that nobody measured there is nothing to say. */
function uncovered(
  { firstS, lastS }: { readonly firstS: number; readonly lastS: number },
  pop: string,
  accounts: readonly { readonly agent: AgentAccount }[],
): string[] {
  for (const { agent } of accounts) {
    for (const [second, letter] of agent.seconds) {
      if (letter !== 'u' && (second < firstS - 1 || second > lastS))
        return [`${pop}: measured at ${rfc3339(second)}, which the truth does not cover`];
    }
  }
  return [];
}

function rfc3339(unixS: number): string {
  return new Date(unixS * MS_PER_S).toISOString();
}
