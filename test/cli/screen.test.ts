/** The screen: on a terminal one block that changes in place, in a pipe every change printed once. */

import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Screen } from '../../src/cli/screen.ts';
import { Terminal } from './terminal.ts';

const COLUMNS = 20;

/** The rows that lines take on a terminal. */
function wrapped(lines: readonly string[]): string[] {
  return lines.flatMap((line) => (line === '' ? [''] : (line.match(/.{1,20}/gu) ?? [])));
}

describe('on a terminal', () => {
  it('is the newest lines alone, whatever stood there before', () => {
    const line = fc.string({ unit: fc.constantFrom('g', '→', ' ', '7'), maxLength: 3 * COLUMNS });
    const block = fc.array(line, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 6 }), (blocks) => {
        const terminal = new Terminal(COLUMNS);
        const screen = new Screen(terminal.out);
        expect(screen.isLive).toBe(true);
        for (const lines of blocks) screen.show(lines);
        expect(terminal.rows).toEqual(wrapped(blocks.at(-1) ?? []));
      }),
    );
  });

  it('keeps what stood above it', () => {
    const terminal = new Terminal(COLUMNS);
    terminal.out.write('$ popprobe start\n');
    const screen = new Screen(terminal.out);
    for (const lines of [['one', 'two', 'three'], ['x'.repeat(COLUMNS)], ['y'.repeat(COLUMNS + 1)], ['end']]) {
      screen.show(lines);
    }
    expect(terminal.rows).toEqual(['$ popprobe start', 'end']);
  });

  it('writes nothing when nothing has changed', () => {
    const terminal = new Terminal(COLUMNS);
    const screen = new Screen(terminal.out);
    screen.show(['same']);
    screen.show(['same']);
    expect(terminal.written).toBe('same\n');
  });
});

describe('in a pipe', () => {
  it('is every change as plain text, one after another', () => {
    const pipe = new PassThrough();
    const screen = new Screen(pipe as unknown as NodeJS.WriteStream);
    expect(screen.isLive).toBeFalsy();
    for (const lines of [
      ['a', 'b'],
      ['a', 'b'],
      ['a', 'c'],
    ])
      screen.show(lines);
    expect(String(pipe.read())).toBe('a\nb\na\nc\n');
  });
});
