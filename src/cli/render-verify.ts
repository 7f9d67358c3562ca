/** Draws a verification: a row for each ordered pair with the network's figures beside the agent's, reasons, and the verdict. */

import { NS_PER_US } from '../base/units.ts';
import type { PairVerification, Verification } from '../lab/verify.ts';
import type { Outage } from '../lab/compare-outages.ts';
import { formatNs, formatTable } from './format.ts';

/** Each figure of the network is followed by the agent's. */
const HEADING = [
  'from → to',
  ...['sent', 'lost', 'stamp rtt', 'icmp rtt', 'outages'].flatMap((figure) => [figure, 'by agent']),
  'refused',
  'missed',
  'void',
  'verdict',
];

/** What the emulator is built to keep; it is told, and no part of the verdict. */
const EMULATOR_ERROR_TARGET_US = 200;

/** The lines; the last one is the verdict. */
export function renderVerification({ verdict, pairs, reasons, emulatorErrorP99Us, readLagUs }: Verification): string[] {
  const differing = pairs.filter((pair) => pair.verdict === 'differs').length;
  return [
    ...formatTable([HEADING, ...pairs.map(row)]),
    '',
    ...reasons.map((reason) => `differs: ${reason}`),
    ...pairs.flatMap((pair) => pair.reasons.map((reason) => `differs: ${nameOf(pair)}: ${reason}`)),
    ...pairs.flatMap((pair) => pair.explanations.map((reason) => `explained: ${nameOf(pair)}: ${reason}`)),
    emulatorLine(emulatorErrorP99Us),
    ...(readLagUs === null
      ? []
      : [`emulator: read a probe's packets ${formatUs(readLagUs)} after they were sent, which is allowed for`]),
    verdict === 'ok'
      ? `verdict: ok, all ${pairs.length} pairs agree with the network`
      : `verdict: differs, ${differing} of ${pairs.length} pairs and ${reasons.length} other reasons`,
  ];
}

function row(pair: PairVerification): string[] {
  const { sent, lost, meanUs, outages, refused, missed, void: voided, verdict } = pair;
  return [
    nameOf(pair),
    String(sent.truth),
    String(sent.agent),
    String(lost.truth),
    String(lost.agent),
    ...[meanUs.stamp.truth, meanUs.stamp.agent, meanUs.icmp.truth, meanUs.icmp.agent].map(formatUs),
    outageCell(outages.truth),
    outageCell(outages.agent),
    ...[refused, missed, voided].map(String),
    verdict,
  ];
}

function nameOf({ from, to }: PairVerification): string {
  return `${from} → ${to}`;
}

function formatUs(us: number | null): string {
  return formatNs(us === null ? null : Math.round(us * NS_PER_US));
}

/** How many, and how long together. */
function outageCell(outages: readonly Outage[]): string {
  if (outages.length === 0) return '-';
  const seconds = outages.reduce((sum, { lengthS }) => sum + lengthS, 0);
  return `${outages.length}: ${seconds} s`;
}

function emulatorLine(errorUs: number | null): string {
  if (errorUs === null) return 'emulator: no packets';
  const error = Number.isFinite(errorUs) ? `up to ${errorUs} µs` : 'more than can be counted';
  return `emulator: p99 of the packets' delay error is ${error} (target ${EMULATOR_ERROR_TARGET_US} µs)`;
}
