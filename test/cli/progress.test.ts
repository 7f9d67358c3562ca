/** Progress of long work on standard error: one line that changes on a terminal, elsewhere a line now and then. */

import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { Progress, progressLine } from '../../src/cli/progress.ts';
import { Terminal } from './terminal.ts';

/** Four updates, `everyMs` apart, and the end. */
function run(err: NodeJS.WriteStream, everyMs: number, trouble: string | null = null): void {
  let nowMs = 1_000_000;
  const progress = new Progress(err, () => nowMs, 'verifying');
  for (const documents of [10, 20, 30, 40]) {
    nowMs += everyMs;
    progress.update(documents, documents / 100, trouble);
  }
  progress.end();
}

it('is one line on a terminal, drawn now and then, and gone at the end', () => {
  const terminal = new Terminal(80);
  run(terminal.out, 150);
  terminal.out.write('verdict: valid\n');
  expect(terminal.rows).toEqual(['verdict: valid']);
  expect(terminal.written.match(/verifying: \d+/g)).toEqual(['verifying: 20', 'verifying: 40']);
});

it('is a plain line every ten seconds elsewhere, with what holds it up', () => {
  const pipe = new PassThrough();
  run(pipe as unknown as NodeJS.WriteStream, 4000, 'connection refused');
  expect(String(pipe.read())).toBe('verifying: 30 documents, 30 %, about 28 s left; connection refused\n');
});

it('is nothing where the work is done at once', () => {
  const pipe = new PassThrough();
  run(pipe as unknown as NodeJS.WriteStream, 150);
  expect(pipe.read()).toBeNull();
});

it('estimates the rest by what is done', () => {
  expect(progressLine('verifying', 250, 0.25, 10_000)).toBe('verifying: 250 documents, 25 %, about 30 s left');
  expect(progressLine('verifying', 1000, 1, 40_000)).toBe('verifying: 1000 documents, 100 %, about 0 s left');
  expect(progressLine('verifying', 0, 0, 5000)).toBe('verifying: 0 documents, 0 %');
});
