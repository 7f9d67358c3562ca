/** One mistake is one problem: what a fault of structure leaves unknown is accused of nothing. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isCollection, type Node, parseDocument, visit } from 'yaml';
import { loadAgentConfig } from '../../src/config/agent-config.ts';
import { loadLabScenario } from '../../src/config/lab-config.ts';
import { openMesh } from '../../src/config/open-mesh.ts';
import { type ConfigProblem, formatProblem } from '../../src/config/problem.ts';

const folder = mkdtempSync(join(tmpdir(), 'popprobe-phantoms-'));
const mesh = readFileSync('test/config/good/mesh-full.yaml', 'utf8');
const agent = readFileSync('test/config/good/agent-full.yaml', 'utf8');
const lab = readFileSync('test/config/good/lab-full.yaml', 'utf8');
writeFileSync(join(folder, 'mesh-full.yaml'), mesh);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** First and last offset of every value of a file: mappings and lists, unless `inline` wants none over several lines, too. */
function valuesOf(text: string, inline = false): [number, number][] {
  const ranges: [number, number][] = [];
  const add = (node: unknown): void => {
    const range = (node as Node | null)?.range;
    const isBlock = isCollection(node) && node.flow !== true;
    if (range && !(inline && isBlock)) ranges.push([range[0], range[1]]);
  };
  visit(parseDocument(text), {
    Pair: (_, pair) => {
      add(pair.value);
    },
    Seq: (_, { items }) => {
      for (const item of items) add(item);
    },
  });
  return ranges;
}

function problemsOf(content: string, load: (file: string) => readonly ConfigProblem[]): string[] {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, content);
  return load(file).map((problem) => `${formatProblem(problem)} in ${content}`);
}

describe.each([
  ['mesh', mesh, (file: string) => openMesh(file).loaded.problems],
  ['agent', agent, (file: string) => loadAgentConfig(file).problems],
  ['lab', lab, (file: string) => loadLabScenario(file).problems],
])('a value of a good %s', (_, text, load) => {
  const values = valuesOf(text);

  it('may be replaced by an alias of nothing, whichever it is, and that is the only problem', () => {
    expect(values.length).toBeGreaterThan(20);
    for (const [first, last] of values) {
      const problems = problemsOf(
        `${text.slice(0, first)}*nothing${text.slice(last).replace(/^(?=\S)(?![,}\]])/, '\n')}`,
        load,
      );
      expect(problems).toEqual([expect.stringContaining('an alias of "nothing"')]);
    }
  });

  it('may have a tag of its own, whichever it is, and that is the only problem', () => {
    for (const [first] of valuesOf(text, true)) {
      const problems = problemsOf(`${text.slice(0, first)}!own ${text.slice(first)}`, load);
      expect(problems).toEqual([expect.stringContaining('found "!own"')]);
    }
  });
});
