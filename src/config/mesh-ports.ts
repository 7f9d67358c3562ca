/** UDP source ports and ICMP identifiers of the probe classes: ports that get in each other's way, and too many of either. */

import { LIMITS } from '../base/limits.ts';
import { entriesOf } from './duplicates.ts';
import { icmpSchema, stampSchema } from './mesh-schema.ts';
import type { ConfigProblem, Fault } from './problem.ts';
import { dotted, listed, type Path, quote } from './quote.ts';
import { soundPart } from './sound-part.ts';
import { itemsAt, placeOf, problemAt, valueAt, type YamlSource } from './yaml-source.ts';

const PORT_MAX = 65_535;

/** UDP source ports of one STAMP class, first to last. */
interface PortRange {
  path: Path;
  first: number;
  last: number;
}

export function portConflicts(source: YamlSource): ConfigProblem[] {
  const ranges = portRanges(source);
  return [
    ...rangesBeyondTheLastPort(source, ranges),
    ...overlaps(source, ranges),
    ...reflectorPortsWithin(source, ranges),
    ...tooManyFlows(source, ranges),
    ...tooManyIcmpClasses(source),
  ];
}

function portRanges(source: YamlSource): PortRange[] {
  return itemsAt(source, ['probes']).flatMap((probe, index) => {
    const data = soundPart(stampSchema, probe, ['kind', 'flows', 'source_port']);
    if (data === null) return [];
    const path = ['probes', index, 'source_port'];
    return [{ path, first: data.source_port, last: data.source_port + data.flows - 1 }];
  });
}

function rangesBeyondTheLastPort(source: YamlSource, ranges: readonly PortRange[]): ConfigProblem[] {
  return ranges
    .filter(({ last }) => last > PORT_MAX)
    .map((range) =>
      conflict(source, range, {
        expected: `source ports up to ${PORT_MAX}`,
        found: ports(range),
        remedy: 'lower source_port or flows',
      }),
    );
}

function overlaps(source: YamlSource, ranges: readonly PortRange[]): ConfigProblem[] {
  const free = Math.max(...ranges.map(({ last }) => last)) + 1;
  return ranges.flatMap((range, index) => {
    const other = ranges.slice(0, index).find((o) => range.first <= o.last && o.first <= range.last);
    if (other === undefined) return [];
    const found = `${ports(range)}, which overlap ${ports(other)} of ${dotted(other.path)} at ${placeOf(source, other.path)}`;
    const remedy = `choose other ports${free + range.last - range.first <= PORT_MAX ? `, for example source_port: ${free}` : ''}`;
    return [conflict(source, range, { expected: 'source ports that no other probe class uses', found, remedy })];
  });
}

/** The Session-Reflector binds its port on the same address as the Session-Sender its source ports. */
function reflectorPortsWithin(source: YamlSource, ranges: readonly PortRange[]): ConfigProblem[] {
  const reflectors = [
    { path: ['stamp_port'], identity: valueAt(source, ['stamp_port']) },
    ...entriesOf(source, ['pops'], 'stamp_port'),
  ];
  return ranges.flatMap((range) => {
    const within = reflectors.find(({ identity: p }) => typeof p === 'number' && range.first <= p && p <= range.last);
    if (within === undefined) return [];
    const port = `${quote(within.identity)} of ${dotted(within.path)} at ${placeOf(source, within.path)}`;
    return [
      conflict(source, range, {
        expected: 'source ports without a stamp_port among them',
        found: `${ports(range)}, which include ${port}`,
        remedy: 'choose another source_port',
      }),
    ];
  });
}

function tooManyFlows(source: YamlSource, ranges: readonly PortRange[]): ConfigProblem[] {
  const flows = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  if (flows <= LIMITS.flowsMax) return [];
  const each = listed(ranges.map((r) => `${r.last - r.first + 1} at ${placeOf(source, r.path)}`));
  const fault = {
    code: 'config_conflict',
    expected: `at most ${LIMITS.flowsMax} flows over all stamp classes`,
    found: `${flows} (${each})`,
    remedy: 'lower flows',
  } as const;
  return [problemAt(source, ['probes'], fault)];
}

function tooManyIcmpClasses(source: YamlSource): ConfigProblem[] {
  const classes = itemsAt(source, ['probes']).filter((probe) => soundPart(icmpSchema, probe, ['kind']) !== null).length;
  if (classes <= LIMITS.icmpClassesMax) return [];
  const fault = {
    code: 'config_conflict',
    expected: `at most ${LIMITS.icmpClassesMax} icmp classes`,
    found: `${classes}`,
    remedy: 'remove classes; each needs ICMP identifiers of its own',
  } as const;
  return [problemAt(source, ['probes'], fault)];
}

function conflict(source: YamlSource, range: PortRange, parts: Omit<Fault, 'code'>): ConfigProblem {
  return problemAt(source, range.path, { code: 'config_conflict', ...parts });
}

function ports({ first, last }: PortRange): string {
  return first === last ? `${first}` : `${first} to ${last}`;
}
