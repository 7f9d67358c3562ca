/** docs/configuration.md and the schemas know the same keys and the same defaults. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { agentSchema } from '../../src/config/agent-schema.ts';
import { collectorSchema } from '../../src/config/collector-config.ts';
import { meshSchema } from '../../src/config/mesh-schema.ts';

/** The parts of a JSON Schema that matter here. */
interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  oneOf?: JsonSchema[];
  default?: unknown;
}

const text = readFileSync('docs/configuration.md', 'utf8');

describe.each([
  ['mesh.yaml', meshSchema],
  ['agent.yaml', agentSchema],
  ['collector.yaml', collectorSchema],
])('docs/configuration.md on %s', (file, schema) => {
  const inCode = defaultsByKey(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema);
  const rows = rowsOf(file);

  it('explains every key, and no other', () => {
    expect([...rows.keys()].toSorted()).toEqual([...inCode.keys()].toSorted());
  });

  it('states every default', () => {
    for (const [key, values] of inCode) {
      const said = (rows.get(key) ?? '').match(/[^\s`(),]+/g) ?? [];
      for (const value of values)
        expect(said, `default of ${key}`).toContain(typeof value === 'string' ? value : JSON.stringify(value));
    }
  });
});

/** Dotted keys with their defaults; a key of several probe kinds has several. */
function defaultsByKey(schema: JsonSchema, prefix = '', found = new Map<string, unknown[]>()): Map<string, unknown[]> {
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const key = prefix + name;
    found.set(key, [...(found.get(key) ?? []), ...(child.default === undefined ? [] : [child.default])]);
    defaultsByKey(child, `${key}.`, found);
    const kinds = child.items?.oneOf ?? (child.items ? [child.items] : []);
    for (const kind of kinds) defaultsByKey(kind, `${key}[].`, found);
  }
  return found;
}

/** The default column of each key's row in the section of a file. */
function rowsOf(file: string): Map<string, string> {
  const section = text.split(/^## /m).find((part) => part.startsWith(`${file}\n`)) ?? '';
  const rows = section.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  return new Map(
    rows.flatMap(([, key = '', , byDefault = '']) =>
      key.startsWith('`') ? [[key.replaceAll('`', ''), byDefault]] : [],
    ),
  );
}
