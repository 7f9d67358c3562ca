/** The layer check itself: every rule bites, and a tool that read nothing is not a success. */

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** A file that breaks a rule, what it imports, and the rule. */
const violations = [
  ['src/agent/a.ts', '../cli/x.ts', 'agent-collector-lab-imports-down'],
  ['src/lab/a.ts', '../cli/x.ts', 'agent-collector-lab-imports-down'],
  ['src/probe/a.ts', '../agent/x.ts', 'probe-protocol-config-linux-imports-down'],
  ['src/linux/a.ts', '../cli/x.ts', 'probe-protocol-config-linux-imports-down'],
  ['src/ring/a.ts', '../probe/x.ts', 'ring-imports-down'],
  ['src/cli/a.ts', '../main.ts', 'main-is-the-top'],
  ['src/base/a.ts', '../stats/x.ts', 'pure'],
  ['src/wire/a.ts', '../stats/x.ts', 'pure'],
  ['src/stats/a.ts', '../sla/x.ts', 'pure'],
  ['src/sla/a.ts', '../ring/x.ts', 'pure'],
  ['src/stats/b.ts', 'node:fs', 'pure'],
  ['src/wire/b.ts', 'pino', 'pure'],
  ['src/agent/b.ts', '../collector/x.ts', 'agent-and-collector'],
  ['src/collector/b.ts', '../agent/x.ts', 'agent-and-collector'],
  ['src/probe/c.ts', 'koffi', 'home-of-koffi'],
  ['src/collector/c.ts', 'better-sqlite3', 'home-of-better-sqlite3'],
  ['src/collector/d.ts', 'undici', 'home-of-undici'],
  ['src/probe/d.ts', 'node-cron', 'home-of-node-cron'],
  ['src/agent/d.ts', 'zod', 'home-of-zod'],
  ['src/agent/f.ts', 'node:module', 'no-hidden-require'],
  ['src/cli/f.ts', '../../test/x.ts', 'only-src'],
  ['src/cli/g.ts', '../../bench/x.ts', 'only-src'],
  ['src/cli/h.ts', 'fast-check', 'no-development-packages'],
  ['src/cli/i.ts', './nowhere.ts', 'resolvable'],
] as const;

/** Imports that the rules allow, downwards and sideways. */
const allowed = [
  ['src/main.ts', './cli/x.ts'],
  ['src/cli/ok.ts', '../collector/x.ts'],
  ['src/agent/ok.ts', 'undici'],
  ['src/collector/ok.ts', '../protocol/x.ts'],
  ['src/collector/store/ok.ts', 'better-sqlite3'],
  ['src/probe/ok.ts', '../linux/x.ts'],
  ['src/protocol/ok.ts', 'zod'],
  ['src/linux/ok.ts', 'koffi'],
  ['src/wire/ok.ts', '../base/x.ts'],
] as const;

let tree: string;

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'popprobe-layers-'));
  copyFileSync(join(root, 'package.json'), join(tree, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
});

afterEach(() => {
  rmSync(tree, { recursive: true });
});

describe('check-layers', () => {
  test('names every violation by its rule, and nothing that is allowed', () => {
    const folders = ['cli', 'agent', 'collector', 'probe', 'protocol', 'linux', 'ring', 'stats', 'sla', 'base'];
    for (const folder of folders) write(`src/${folder}/x.ts`, 'export const x = 1;\n');
    for (const folder of ['test', 'bench']) write(`${folder}/x.ts`, 'export const x = 1;\n');
    for (const [file, target] of allowed) write(file, `export * from '${target}';\n`);
    for (const [file, target] of violations) write(file, `export * from '${target}';\n`);

    const { status, complaints } = checkLayers();
    const found = complaints.map((line) => /^(\S+): (\S+) ->/.exec(line)?.slice(1).join(' '));
    expect(new Set(found)).toEqual(new Set(violations.map(([file, , rule]) => `${rule} ${file}`)));
    expect(found).toHaveLength(violations.length);
    expect(status).toBe(1);
  });

  test.each([
    ['a type', "import type { x } from '../stats/x.ts';\nexport type Y = typeof x;\n"],
    ['an inline type', "import { type X } from '../stats/x.ts';\nexport const y: X = 1;\n"],
    ['a dynamic import', "export const load = async () => await import('../stats/x.ts');\n"],
    ['its effect', "import '../stats/x.ts';\n"],
  ])('sees an import of %s', (_, source) => {
    write('src/stats/x.ts', 'export const x = 1;\nexport type X = number;\n');
    write('src/wire/y.ts', source);
    expect(checkLayers().complaints).toEqual([expect.stringMatching(/^pure: src\/wire\/y.ts -> src\/stats\/x.ts/)]);
  });

  test('is content with a clean tree', () => {
    write('src/base/x.ts', 'export const x = 1;\n');
    write('src/stats/y.ts', "export { x } from '../base/x.ts';\n");
    expect(checkLayers()).toEqual({ status: 0, complaints: [], summary: 'layers: 2 files, 1 imports, 0 complaints' });
  });

  test('refuses a folder that is in no layer', () => {
    write('src/utils/x.ts', 'export const x = 1;\n');
    const { status, complaints } = checkLayers();
    expect(complaints).toEqual([expect.stringMatching(/^unknown-folder: src\/utils\/x.ts/)]);
    expect(status).toBe(1);
  });

  test('fails when there was nothing to read', () => {
    mkdirSync(join(tree, 'src'));
    expect(checkLayers()).toMatchObject({ status: 1, complaints: ['unread: there is no TypeScript file under src/'] });
  });

  test('fails when dependency-cruiser skips a file that is there', () => {
    write('src/base/x.ts', 'export const x = 1;\n');
    // An extension of TypeScript that its parser does not take, as none was without @swc/core.
    write('src/base/y.mts', 'export const y = 1;\n');
    expect(checkLayers()).toMatchObject({
      status: 1,
      complaints: ['unread: src/base/y.mts was not read by dependency-cruiser'],
    });
  });
});

function write(file: string, source: string): void {
  const path = join(tree, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, source);
}

function checkLayers() {
  const run = spawnSync(process.execPath, [join(root, 'tools/check-layers.js')], { cwd: tree, encoding: 'utf8' });
  const complaints = run.stderr.split('\n').filter((line) => line !== '');
  return { status: run.status, complaints, summary: run.stdout.trim() };
}
