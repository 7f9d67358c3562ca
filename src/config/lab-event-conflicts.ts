/** Events of a scenario that change nothing, do two things at once, or mean a member that does not exist. */

import type { DirectionPart } from './lab-directions.ts';
import type { ChangePart } from './lab-parts.ts';
import { endsSchema, eventSchema } from './lab-schema.ts';
import type { ConfigProblem, Fault } from './problem.ts';
import type { Path } from './quote.ts';
import { mayBeMisspelt } from './sound-part.ts';
import { itemsAt, mappingAt, problemAt, type YamlSource } from './yaml-source.ts';

/** What an event changes, and so nothing that a host which is cut off needs. */
const CHANGES = ['set', 'delay_factor', 'member'] as const;
const KEYS = ['isolate', ...CHANGES];

export function eventConflicts(
  source: YamlSource,
  directions: readonly DirectionPart[],
  changes: ReadonlyMap<string, readonly ChangePart[]>,
): ConfigProblem[] {
  return [
    ...itemsAt(source, ['events']).flatMap((_, index) => unclearChange(source, ['events', index])),
    ...missingMembers(source, directions, changes),
  ];
}

function unclearChange(source: YamlSource, path: Path): ConfigProblem[] {
  const event = mappingAt(source, path);
  if (event === null) return [];
  const has = (key: string): boolean => Object.hasOwn(event, key);
  if (has('isolate')) return CHANGES.filter(has).map((key) => besideIsolation(source, [...path, key], key));
  const set = mappingAt(source, [...path, 'set']);
  if (set !== null && Object.keys(set).length === 0) return [setOfNothing(source, [...path, 'set'])];
  if (has('set') || has('delay_factor')) return [];
  // An event that does not even say whom it is about is told that alone.
  if (!Object.keys(endsSchema.shape).some(has) || KEYS.some((key) => mayBeMisspelt(eventSchema, event, key))) return [];
  const fault: Fault = {
    code: 'config_missing_key',
    expected: 'what changes: set, delay_factor or both',
    found: 'no such key',
    remedy: 'add the key "set"',
  };
  return [problemAt(source, path, fault)];
}

function besideIsolation(source: YamlSource, path: Path, found: string): ConfigProblem {
  return problemAt(source, path, {
    code: 'config_conflict',
    expected: 'no change beside "isolate", which lets no packet through',
    found,
    remedy: 'remove it, or make another event of it',
  });
}

function setOfNothing(source: YamlSource, path: Path): ConfigProblem {
  return problemAt(source, path, {
    code: 'config_conflict',
    expected: 'at least one key, as loss',
    found: 'an empty mapping',
    remedy: 'say what changes',
  });
}

/** An event of both directions whose member neither has is one mistake. */
function missingMembers(
  source: YamlSource,
  directions: readonly DirectionPart[],
  changes: ReadonlyMap<string, readonly ChangePart[]>,
): ConfigProblem[] {
  const accused = new Set<ChangePart>();
  return directions.flatMap(({ way, members }) => {
    if (members === null) return [];
    const existing = members.length === 1 ? '0, the only member' : `a member from 0 to ${members.length - 1}`;
    const own = changes.get(way)?.filter((c) => (c.member ?? 0) >= members.length && !accused.has(c)) ?? [];
    return own.map((change) => {
      accused.add(change);
      return problemAt(source, [...change.path, 'member'], {
        code: 'config_conflict',
        expected: `${existing} on the way from ${way.replace(' ', ' to ')}`,
        found: `${change.member}`,
        remedy: 'count from 0, or add members to "ecmp" of the link',
      });
    });
  });
}
