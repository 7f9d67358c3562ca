/** Draws the mesh as the collector holds it: a row for each ordered pair of PoPs, and what their two ends dispute. */

import { LIMITS } from '../base/limits.ts';
import type { Mesh } from '../collector/mesh.ts';
import { formatAge, formatNs, formatRatio, formatTable, OUTCOME_HEADINGS, outcomeCells } from './format.ts';

type MeshPair = Mesh['pairs'][number];

const HEADING = ['from → to', 'rtt mean', 'p95', 'by', 'loss', ...OUTCOME_HEADINGS, 'seconds', 'accepted'];

/**
 * The table's lines; pairs of PoPs that have not reported yet show dashes. Disputed paths follow it, if there are any.
 * Where these would be more than `linesMax`, pairs without trouble are left out, then others, and counted.
 */
export function renderMesh(mesh: Mesh, linesMax = Number.POSITIVE_INFINITY): string[] {
  const disputed = disputeLines(mesh.pairs.flatMap(disputes));
  const pairs = pairsOf(mesh);
  const shown = fitting(pairs, linesMax - 1 - disputed.length);
  const hidden = pairs.length - shown.length;
  const table = formatTable([HEADING, ...shown.map(({ from, to, ageS, pair }) => row(from, to, ageS, pair))]);
  return [...table, ...(hidden > 0 ? [`and ${hidden} more pairs, see /api/v1/mesh`] : []), ...disputed];
}

interface OrderedPair {
  from: string;
  to: string;
  /** Of the last accepted summary of `from`, s. */
  ageS: number | null;
  pair: MeshPair | undefined;
}

function pairsOf({ pops, pairs }: Mesh): OrderedPair[] {
  const measured = new Map(pairs.map((pair) => [`${pair.from} ${pair.to}`, pair]));
  return pops.flatMap(({ pop: from, last_accepted_age_s: ageS }) =>
    pops.flatMap(({ pop: to }) => (to === from ? [] : [{ from, to, ageS, pair: measured.get(`${from} ${to}`) }])),
  );
}

/** As many as there are lines for, one of which says that there are more; those in trouble first, in the order of all. */
function fitting(pairs: readonly OrderedPair[], lines: number): readonly OrderedPair[] {
  if (pairs.length <= lines) return pairs;
  const places = [...pairs.keys()].toSorted((a, b) => Number(isQuiet(pairs[a])) - Number(isQuiet(pairs[b])) || a - b);
  const kept = new Set(places.slice(0, Math.max(1, lines - 1)));
  return pairs.filter((_, place) => kept.has(place));
}

function isQuiet(ordered: OrderedPair | undefined): boolean {
  const pair = ordered?.pair;
  return pair !== undefined && pair.counts.lost === 0 && /^g*$/.test(pair.seconds);
}

/** A screen has room for some; the API has them all. */
function disputeLines(lines: readonly string[]): string[] {
  const hidden = lines.length - LIMITS.disputesShownMax;
  const shown = lines.slice(0, LIMITS.disputesShownMax);
  return hidden > 0 ? [...shown, `and ${hidden} more disputed paths, see /api/v1/mesh`] : shown;
}

function disputes({ from, to, window_start, paths }: MeshPair): string[] {
  return paths.flatMap(({ class: name, family, flow, counts, two_ended: ends }) => {
    if (ends?.verdict !== 'disputed' || !ends.reflector) return [];
    const { sent, forward_lost, reflector, tolerance } = ends;
    const forward = forward_lost === null ? '' : `, ${forward_lost} of them on the way there`;
    return [
      `disputed: ${from} → ${to}, ${name} ${family} flow ${flow}, window ${window_start}: ` +
        `${from} sent ${sent} and lost ${counts.lost}${forward}; ` +
        `${to} received ${reflector.received} and answered ${reflector.replied}; ${tolerance} may differ`,
    ];
  });
}

function row(from: string, to: string, ageS: number | null, pair: MeshPair | undefined): string[] {
  const name = `${from} → ${to}`;
  const accepted = ageS === null ? 'never' : `${formatAge(ageS)} ago`;
  if (!pair) return [name, ...HEADING.slice(2).map(() => '-'), accepted];
  const { counts, rtt } = pair;
  return [
    name,
    formatNs(rtt?.mean_ns),
    formatNs(rtt?.p95_ns),
    rtt?.kind ?? '-',
    formatRatio(pair.loss_ratio),
    ...outcomeCells(counts),
    pair.seconds,
    accepted,
  ];
}
