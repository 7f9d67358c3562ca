/** What a scenario says of a direction's behaviour, in layers: of each field the last layer that has it counts. */

import { z } from 'zod';
import { behaviourSchema } from './lab-schema.ts';
import type { Path } from './quote.ts';
import { mayBeMisspelt } from './sound-part.ts';
import { mappingAt, valueAt, type YamlSource } from './yaml-source.ts';

/** As it stands in the file; a key that is left out is not there. */
export type Behaviour = z.output<typeof behaviourSchema>;
export type BehaviourKey = keyof Behaviour;

/** One mapping of the file: the defaults, a link, a member of an ECMP group, or what an event sets. */
export interface Layer {
  readonly path: Path;
  /** Those that are sound. */
  readonly fields: Behaviour;
  /** Those that a mistake leaves open. */
  readonly open: ReadonlySet<string>;
}

/** A field's value and its place; `open` when a mistake hides it; null when no layer has it. */
type Found<K extends BehaviourKey> = { readonly value: Behaviour[K]; readonly path: Path } | 'open' | null;

const KEYS = behaviourSchema.keyof().options;

export function emptyLayer(path: Path): Layer {
  return { path, fields: {}, open: new Set() };
}

/** Stands for a mapping of which nothing is known. */
export function openLayer(path: Path): Layer {
  return { path, fields: {}, open: new Set(KEYS) };
}

/** Reads the mapping at `path`; `schema` is that of all of its keys. */
export function layerAt(source: YamlSource, path: Path, schema: z.ZodObject = behaviourSchema): Layer {
  const given = mappingAt(source, path);
  if (given === null) return openLayer(path);
  const fields: Record<string, unknown> = {};
  const open = new Set<string>();
  for (const key of KEYS) {
    const { success, data } = z.safeParse(behaviourSchema.shape[key], given[key]);
    if (!success || mayBeMisspelt(schema, given, key)) open.add(key);
    else if (Object.hasOwn(given, key)) fields[key] = data;
  }
  return { path, fields, open };
}

/** The same for a mapping that may be left out of the mapping at `parent`, which has this schema. */
export function layerIn(source: YamlSource, parent: Path, key: string, schema: z.ZodObject): Layer {
  const path = [...parent, key];
  if (mayBeMisspelt(schema, valueAt(source, parent), key)) return openLayer(path);
  return valueAt(source, path) === undefined ? emptyLayer(path) : layerAt(source, path);
}

export function lookUp<K extends BehaviourKey>(layers: readonly Layer[], key: K): Found<K> {
  const layer = layers.findLast(({ fields, open }) => open.has(key) || Object.hasOwn(fields, key));
  if (layer === undefined) return null;
  return layer.open.has(key) ? 'open' : { value: layer.fields[key], path: [...layer.path, key] };
}

/** All fields that the layers have. */
export function merged(layers: readonly Layer[]): Behaviour {
  return layers.reduce<Behaviour>((fields, layer) => ({ ...fields, ...layer.fields }), {});
}
