/** Whatever a configuration file contains, loading it gives problems and never an exception. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { loadAgentConfig } from '../../src/config/agent-config.ts';
import { loadCollectorConfig } from '../../src/config/collector-config.ts';
import { loadLabScenario } from '../../src/config/lab-config.ts';
import { openMesh } from '../../src/config/open-mesh.ts';
import { type ConfigProblem, formatProblem } from '../../src/config/problem.ts';

const folder = mkdtempSync(join(tmpdir(), 'popprobe-any-bytes-'));
const file = join(folder, 'config.yaml');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Pieces of YAML in senseless order reach further into the parser than random octets do. */
const yamlSoup = fc
  .array(
    fc.constantFrom(
      '- ',
      ': ',
      '? ',
      '\n',
      '  ',
      '{',
      '}',
      '[',
      ']',
      ',',
      '&a ',
      '*a',
      '!t ',
      '"',
      "'",
      '|',
      '>',
      '#',
      '%',
      '---\n',
      '<<',
      'pops',
      'name',
      'schema: popprobe.mesh/1\n',
      '1',
      '~',
    ),
    { maxLength: 60 },
  )
  .map((pieces) => Buffer.from(pieces.join('')));
const octets = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));

/** A good file of which some octets were cut out and others put in. */
function damaged(goodFile: string): fc.Arbitrary<Buffer> {
  const good = readFileSync(goodFile);
  return fc
    .tuple(fc.nat(good.length - 1), fc.nat(20), fc.uint8Array({ maxLength: 8 }))
    .map(([at, cut, put]) => Buffer.concat([good.subarray(0, at), put, good.subarray(at + cut)]));
}

describe('arbitrary octets as a configuration file', () => {
  it('never make the loader of an agent, collector or lab throw, and never load', () => {
    fc.assert(
      fc.property(fc.oneof(octets, yamlSoup), (content) => {
        writeFileSync(file, content);
        for (const { config, problems } of [loadAgentConfig(file), loadCollectorConfig(file), loadLabScenario(file)]) {
          expect(config).toBeNull();
          expectSound(problems);
        }
      }),
    );
  });

  it.each([
    ['mesh', 'config/quickstart/mesh.yaml', () => openMesh(file).loaded],
    ['lab', 'test/config/good/lab-full.yaml', () => loadLabScenario(file)],
  ])('never make the loader of a %s throw, also when they nearly are one', (_, goodFile, load) => {
    fc.assert(
      fc.property(fc.oneof(octets, yamlSoup, damaged(goodFile)), (content) => {
        writeFileSync(file, content);
        const { config, problems } = load();
        expect(config === null).toBe(problems.length > 0);
        expectPrintable(problems);
      }),
    );
  });

  it.each([
    ['sequences', '- '.repeat(300_000)],
    ['brackets', '['.repeat(300_000)],
    ['braces', '{a: '.repeat(200_000)],
    ['complex keys', '? '.repeat(300_000)],
    ['indentation', Array.from({ length: 800 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['aliases', `a: &a 1\nb: [${'*a, '.repeat(1000)}]`],
    ['expanding aliases', expanding(20)],
    ['unclosed quotes', '"'.repeat(50_000)],
    ['unknown keys', Array.from({ length: 50_000 }, (_, i) => `k${i}:`).join('\n')],
  ])('are refused in time when they nest or repeat without end: %s', (_, text) => {
    writeFileSync(file, text);
    expectSound(openMesh(file).loaded.problems);
  });

  it('are not read beyond the size limit', () => {
    writeFileSync(file, Buffer.alloc(1024 * 1024 + 1, '#'));
    expect(openMesh(file).loaded.problems[0]?.found).toBe('1048577 octets, more than 1048576');
  });

  it.each([
    [folder, 'a directory'],
    ['/dev/zero', 'a pipe, socket or device'],
    [join(folder, 'none'), 'no such file or directory'],
    ['nul\0byte', expect.stringContaining('null bytes')],
  ])('are not read from what is no file: %s', (path, found) => {
    const { problems } = openMesh(path).loaded;
    expect(problems.map((p) => ({ code: p.code, found: p.found }))).toEqual([{ code: 'config_unreadable', found }]);
  });
});

function expectSound(problems: readonly ConfigProblem[]): void {
  expect(problems.length).toBeGreaterThan(0);
  expectPrintable(problems);
}

/** Each problem has a place and is one line that a terminal prints as it is. */
function expectPrintable(problems: readonly ConfigProblem[]): void {
  for (const problem of problems.slice(0, 100)) {
    expect(problem.line).toBeGreaterThan(0);
    expect(problem.column).toBeGreaterThan(0);
    expect(formatProblem(problem)).not.toMatch(/\p{Cc}/u);
  }
}

function expanding(levels: number): string {
  const rows = Array.from({ length: levels }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`);
  return `a0: &a0 1\n${rows.join('\n')}\n`;
}
