/** Draws the mesh as the collector holds it: a row for each ordered pair of PoPs. */

import type { Mesh } from '../collector/mesh.ts';
import { formatAge, formatNs, formatRatio, formatTable, OUTCOME_HEADINGS, outcomeCells } from './format.ts';

type MeshPair = Mesh['pairs'][number];

const HEADING = ['from → to', 'rtt mean', 'p95', 'by', 'loss', ...OUTCOME_HEADINGS, 'seconds', 'accepted'];

/** The table's lines; pairs of PoPs that have not reported yet show dashes. */
export function renderMesh(mesh: Mesh): string[] {
  const pairs = new Map(mesh.pairs.map((pair) => [`${pair.from} ${pair.to}`, pair]));
  const rows = mesh.pops.flatMap((from) =>
    mesh.pops
      .filter((to) => to.pop !== from.pop)
      .map((to) => row(from.pop, to.pop, from.last_accepted_age_s, pairs.get(`${from.pop} ${to.pop}`))),
  );
  return formatTable([HEADING, ...rows]);
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
