/** The last line of CI: no failure of vitest, of whatever kind, may read as `0 failed`. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const passing = "import { test } from 'vitest';\ntest('passes', () => {});\n";

let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'popprobe-tally-'));
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));
});

afterEach(() => {
  rmSync(project, { recursive: true });
});

describe('test-tally', () => {
  test.each([
    { name: 'passing tests', source: '', line: '1 passed, 0 failed', status: 0 },
    {
      name: 'a failing test',
      source: "test('fails', () => expect(1).toBe(2));",
      line: '1 passed, 1 failed',
      status: 1,
    },
    {
      name: 'skipped and planned tests',
      source: "test.skip('skipped', () => {});\ntest.todo('planned');",
      line: '1 passed, 0 failed, 2 skipped',
      status: 0,
    },
    { name: 'a file that does not load', source: "import './nowhere.ts';", line: '1 passed, 1 failed', status: 1 },
    {
      name: 'an error outside every test',
      source: "test('throws later', () => void setImmediate(() => { throw new Error('late'); }));",
      line: '2 passed, 1 failed',
      status: 1,
    },
  ])('of a run of vitest with $name says "$line"', ({ source, line, status }) => {
    writeFileSync(join(project, 'passing.test.ts'), passing);
    if (source !== '') {
      writeFileSync(
        join(project, 'other.test.ts'),
        `import { expect, test } from 'vitest';\nvoid expect;\n${source}\n`,
      );
    }
    const report = join(project, 'report.json');
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const run = spawnNode(vitest, 'run', '--root', project, '--reporter=json', `--outputFile.json=${report}`);
    expect(tally(report, run.status)).toEqual({ line, status });
  });

  test('of a run without a report is a failure', () => {
    expect(tally(join(project, 'none.json'), 0)).toEqual({ line: '0 passed, 1 failed', status: 1 });
  });
});

function tally(report: string, status: number | null) {
  const run = spawnNode(join(root, 'tools/test-tally.js'), report, String(status));
  return { line: run.stdout.trim(), status: run.status };
}

function spawnNode(...args: string[]) {
  return spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' });
}
