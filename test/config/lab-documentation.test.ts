/** docs/lab.md and the schema of a scenario know the same keys and the same defaults. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadLabScenario } from '../../src/config/lab-config.ts';
import { behaviourSchema, labSchema } from '../../src/config/lab-schema.ts';

/** The parts of a JSON Schema that matter here. */
interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  default?: unknown;
}

const folder = mkdtempSync(join(tmpdir(), 'popprobe-lab-documentation-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const text = readFileSync('docs/lab.md', 'utf8');

/** What is explained in configuration.md, or in the table of behaviour. */
const ELSEWHERE = /^(limits|probes\[\]|defaults|links\[\]\.ecmp\[\]|events\[\]\.set)\./;

describe.each([
  ['Keys of a scenario', keysOf(labSchema)],
  ['Behaviour', keysOf(behaviourSchema)],
])('docs/lab.md, section %s', (heading, inCode) => {
  const rows = rowsOf(heading);

  it('explains every key, and no other', () => {
    expect(rows.size).toBeGreaterThan(20);
    expect([...rows.keys()].toSorted()).toEqual([...inCode.keys()].toSorted());
  });

  it('states every default of the schema', () => {
    for (const [key, value] of [...inCode].filter((entry) => entry[1] !== undefined)) {
      expect(rows.get(key), `default of ${key}`).toBe(written(value));
    }
  });
});

describe('docs/lab.md', () => {
  it('states what a direction does of which nothing is said', () => {
    const rows = rowsOf('Behaviour');
    const [member] = loaded('defaults: { delay_ms: 1 }').directions[0]?.members ?? [];
    const { delayNs: _, spreadNs, jitterNs, ...rest } = member ?? {};
    for (const [key, value] of Object.entries({ spread_ms: spreadNs, jitter_ms: jitterNs, ...rest })) {
      expect(rows.get(key), `default of ${key}`).toBe(written(value));
    }
  });

  it('has an example that is a scenario', () => {
    const file = join(folder, 'example.yaml');
    writeFileSync(file, /```yaml\n(.*?)```/s.exec(text)?.[1] ?? '');
    expect(loadLabScenario(file).problems).toEqual([]);
  });
});

/** A scenario of two PoPs with this line. */
function loaded(line: string): NonNullable<ReturnType<typeof loadLabScenario>['config']> {
  const file = join(folder, 'lab.yaml');
  const pops = 'pops: [{ name: hkg1 }, { name: sin1 }]';
  const probes = 'probes: [{ name: icmp, kind: icmp, interval_ms: 500 }]';
  writeFileSync(file, `schema: popprobe.lab/1\nname: a\nseed: 1\n${pops}\n${probes}\n${line}\n`);
  const { config } = loadLabScenario(file);
  if (config === null) throw new Error('no scenario');
  return config;
}

/** Dotted keys with their defaults, without those that are explained elsewhere. */
function keysOf(schema: z.ZodObject): Map<string, unknown> {
  const behaviour = schema === behaviourSchema ? [] : Object.keys(behaviourSchema.shape);
  const isElsewhere = (key: string): boolean =>
    ELSEWHERE.test(key) || behaviour.some((name) => `${key}.`.startsWith(`links[].${name}.`));
  const all = defaultsByKey(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema);
  return new Map([...all].filter(([key]) => !isElsewhere(key)));
}

function defaultsByKey(schema: JsonSchema, prefix = '', found = new Map<string, unknown>()): Map<string, unknown> {
  for (const part of [schema, ...(schema.anyOf ?? [])]) {
    for (const [name, child] of Object.entries(part.properties ?? {})) {
      const key = prefix + name;
      found.set(key, child.default);
      defaultsByKey(child, `${key}.`, found);
      if (child.items) defaultsByKey(child.items, `${key}[].`, found);
    }
  }
  return found;
}

/** The default column of each key's row in a section. */
function rowsOf(heading: string): Map<string, string> {
  const section = text.split(/^### /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  return new Map(
    rows.flatMap(([, key = '', , byDefault = '']) =>
      key.startsWith('`') ? [[key.replaceAll('`', ''), byDefault]] : [],
    ),
  );
}

/** A default as the tables have it: words and lists as code, figures plain. */
function written(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? `\`[${value.join(', ')}]\`` : `\`${String(value)}\``;
}
