/** Progress of long work: one line that changes on a terminal; in a pipe now and then a line, where wanted, and the result. */

import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { Progress, progressLine } from '../../src/cli/progress.ts';
import { Terminal } from './terminal.ts';

const VERDICT = ['PoP fra', 'verdict: valid'];

/** Four updates, 150 ms apart, and the end. */
function run(out: NodeJS.WriteStream, pipeEveryMs?: number): void {
  let nowMs = 1_000_000;
  const progress = new Progress(out, () => nowMs, 'verifying', pipeEveryMs);
  for (const documents of [10, 20, 30, 40]) {
    nowMs += 150;
    progress.update(documents, documents / 100);
  }
  progress.end(VERDICT);
}

it('is one line on a terminal, drawn now and then, and gone when the verdict is there', () => {
  const terminal = new Terminal(80);
  run(terminal.out);
  expect(terminal.rows).toEqual(VERDICT);
  expect(terminal.written.match(/verifying: \d+/g)).toEqual(['verifying: 20', 'verifying: 40']);
});

it('is not in a pipe, unless that is wanted', () => {
  const pipe = new PassThrough();
  run(pipe as unknown as NodeJS.WriteStream);
  expect(String(pipe.read())).toBe(`${VERDICT.join('\n')}\n`);
});

it('is a plain line in a pipe now and then, where that is wanted', () => {
  const pipe = new PassThrough();
  run(pipe as unknown as NodeJS.WriteStream, 400);
  const line = 'verifying: 30 documents, 30 %, about 2 s left';
  expect(String(pipe.read())).toBe(`${[line, ...VERDICT].join('\n')}\n`);
});

it('estimates the rest by what is done', () => {
  expect(progressLine('verifying', 250, 0.25, 10_000)).toBe('verifying: 250 documents, 25 %, about 30 s left');
  expect(progressLine('verifying', 1000, 1, 40_000)).toBe('verifying: 1000 documents, 100 %, about 0 s left');
  expect(progressLine('verifying', 0, 0, 5000)).toBe('verifying: 0 documents, 0 %');
});
