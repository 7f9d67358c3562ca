/** Framed text: the same octets as joining the pieces and encoding them, whatever their sizes and characters. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FramedText } from '../../src/agent/framed-text.ts';

function textOf(pieces: readonly string[]): FramedText {
  const text = new FramedText();
  for (const piece of pieces) text.append(piece);
  return text;
}

/** Pieces of any script, now and then longer than the first block of memory. */
const piece = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.integer({ min: 0, max: 100_000 }).map((length) => 'é'.repeat(length)),
);

describe('framed text', () => {
  it('is the UTF-8 of its pieces, in a frame and without', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), piece, piece, (pieces, before, after) => {
        const text = textOf(pieces);
        expect(Buffer.from(text.between(before, after)).equals(Buffer.from(before + pieces.join('') + after))).toBe(
          true,
        );
        expect(Buffer.from(text.octets).equals(Buffer.from(pieces.join('')))).toBe(true);
      }),
    );
  });

  it('can be framed again, and goes on behind what was appended', () => {
    const text = textOf(['b']);
    text.between('first frame', 'first frame');
    expect(Buffer.from(text.between('a', 'c')).toString()).toBe('abc');
    text.append('!');
    text.appendOctets(Buffer.from('ü'));
    expect(Buffer.from(text.between('<', '>')).toString()).toBe('<b!ü>');
  });

  it('is empty after clear(), and nothing of what was there comes back', () => {
    const text = textOf(['x'.repeat(200_000)]);
    text.between('x'.repeat(20_000), 'x');
    text.clear();
    expect(text.octets).toHaveLength(0);
    text.append('new');
    expect(Buffer.from(text.between('', '')).toString()).toBe('new');
  });
});
