/** Draws the mesh as the collector holds it: a row for each ordered pair of PoPs, and what their two ends dispute. */

import { LIMITS } from '../base/limits.ts';
import type { Mesh } from '../collector/mesh.ts';
import { formatAge, formatNs, formatRatio, formatTable, OUTCOME_HEADINGS, outcomeCells } from './format.ts';

type MeshPair = Mesh['pairs'][number];

const HEADING = ['from → to', 'rtt mean', 'p95', 'by', 'loss', ...OUTCOME_HEADINGS, 'seconds', 'accepted'];

/** The table's lines; pairs of PoPs that have not reported yet show dashes. Disputed paths follow it, if there are any. */
export function renderMesh(mesh: Mesh): string[] {
  const pairs = new Map(mesh.pairs.map((pair) => [`${pair.from} ${pair.to}`, pair]));
  const rows = mesh.pops.flatMap((from) =>
    mesh.pops
      .filter((to) => to.pop !== from.pop)
      .map((to) => row(from.pop, to.pop, from.last_accepted_age_s, pairs.get(`${from.pop} ${to.pop}`))),
  );
  return [...formatTable([HEADING, ...rows]), ...disputeLines(mesh.pairs.flatMap(disputes))];
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
