/** What the layers of a direction's behaviour make together that cannot be: no delay, a spread of nothing, too small an MTU. */

import type { DirectionPart } from './lab-directions.ts';
import { type Layer, lookUp } from './lab-layers.ts';
import type { ChangePart, LabPopPart } from './lab-parts.ts';
import type { ConfigProblem, Fault } from './problem.ts';
import { dotted, listed, type Path } from './quote.ts';
import { problemAt, type YamlSource } from './yaml-source.ts';

/** RFC 8200 section 5. */
const IPV6_MTU_BYTES_MIN = 1280;

/** All layers that can lie upon each other: those of a member, and those of an event that changes it. */
interface Stack {
  readonly direction: DirectionPart;
  readonly layers: readonly Layer[];
}

export function behaviourConflicts(
  source: YamlSource,
  pops: readonly LabPopPart[],
  directions: readonly DirectionPart[],
  changes: ReadonlyMap<string, readonly ChangePart[]>,
): ConfigProblem[] {
  const stacks = directions.flatMap((direction) => stacksOf(direction, changes.get(direction.way) ?? []));
  return [
    ...directionsWithoutDelay(source, pops, directions),
    ...oncePerPlace(source, stacks, spreadOfNothing),
    ...oncePerPlace(source, stacks, (stack) => tooSmallForIpv6(pops, stack)),
  ];
}

function stacksOf(direction: DirectionPart, changes: readonly ChangePart[]): Stack[] {
  return (direction.members ?? []).flatMap((member, index) => {
    const layers = [...direction.layers, member];
    const own = changes.filter((change) => change.member === null || change.member === index);
    return [layers, ...own.map(({ set }) => [...layers, set])].map((each) => ({ direction, layers: each }));
  });
}

function directionsWithoutDelay(
  source: YamlSource,
  pops: readonly LabPopPart[],
  directions: readonly DirectionPart[],
): ConfigProblem[] {
  const without = directions.filter(({ layers }) => lookUp(layers, 'delay_ms') === null);
  if (without.length === 0) return [];
  const ways = without.map(({ from, to }) => `${pops[from]?.name} to ${pops[to]?.name}`);
  const fault: Fault = {
    code: 'config_missing_key',
    expected: 'a delay_ms for every direction between two PoPs',
    found: `none for ${listed(ways)}`,
    remedy: 'add it to the links of these, or to "defaults"',
  };
  return [problemAt(source, ['links'], fault)];
}

interface Misfit {
  path: Path;
  fault: Omit<Fault, 'code'>;
}

/** A value that many directions share is one mistake. */
function oncePerPlace(
  source: YamlSource,
  stacks: readonly Stack[],
  misfitOf: (stack: Stack) => Misfit | null,
): ConfigProblem[] {
  const found = new Map<string, Misfit>();
  for (const stack of stacks) {
    const misfit = misfitOf(stack);
    if (misfit !== null && !found.has(dotted(misfit.path))) found.set(dotted(misfit.path), misfit);
  }
  return [...found.values()].map(({ path, fault }) => problemAt(source, path, { code: 'config_conflict', ...fault }));
}

function spreadOfNothing({ layers }: Stack): Misfit | null {
  const spread = lookUp(layers, 'spread_ms');
  const distribution = lookUp(layers, 'distribution');
  if (spread === null || spread === 'open' || distribution === 'open') return null;
  if ((spread.value ?? 0) === 0 || (distribution?.value ?? 'fixed') !== 'fixed') return null;
  const fault = {
    expected: '0, or beside it a distribution of normal or pareto',
    found: `${spread.value} with the distribution fixed${distribution === null ? ', the default' : ''}, which has no spread`,
    remedy: 'add the key "distribution"',
  };
  return { path: spread.path, fault };
}

function tooSmallForIpv6(pops: readonly LabPopPart[], { direction, layers }: Stack): Misfit | null {
  const mtu = lookUp(layers, 'mtu');
  const ends = [pops[direction.from], pops[direction.to]];
  if (mtu === null || mtu === 'open' || !ends.every((pop) => pop?.families?.includes('ipv6') === true)) return null;
  const bytes = mtu.value?.bytes ?? IPV6_MTU_BYTES_MIN;
  if (bytes >= IPV6_MTU_BYTES_MIN) return null;
  const names = ends.map((pop) => pop?.name).join(' to ');
  const fault = {
    expected: `at least ${IPV6_MTU_BYTES_MIN} octets, which IPv6 needs on the way from ${names}`,
    found: `${bytes}`,
    remedy: 'raise it, or take ipv6 from the families of one of the two',
  };
  return { path: [...mtu.path, 'bytes'], fault };
}
