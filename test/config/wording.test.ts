/** How values, paths and suggestions appear in messages. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearest } from '../../src/config/nearest.ts';
import { cleanMessage, dotted, listed, quote } from '../../src/config/quote.ts';

describe('a quoted value', () => {
  it.each([
    [null, 'nothing'],
    [true, 'true'],
    [45, '45'],
    [Number.NaN, 'NaN'],
    [[1, 2], 'a list of 2'],
    [{ a: 1 }, 'a mapping'],
    ['line\nbreak', '"line\\nbreak"'],
    ['\u009b31m\u202e', '"\\u{9b}31m\\u{202e}"'],
    ['x'.repeat(200), `"${'x'.repeat(100)}..."`],
  ])('%j is shown as %s', (value, shown) => {
    expect(quote(value)).toBe(shown);
  });

  it('never shows the credentials of a URL, also of one that is broken', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9:@/#?]{0,40}$/), (tail) => {
        expect(quote(`https://noc:S3CRET${tail}@collector.example.net`)).not.toContain('S3CRET');
      }),
    );
  });

  it('never shows a private key', () => {
    const pem = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA';
    expect([quote(pem), cleanMessage(`unexpected ${pem}`)]).toEqual(['a private key', 'a private key']);
  });

  it('is one printable line, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(quote(text) + cleanMessage(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});

describe('a path', () => {
  it.each([
    [[], 'top level'],
    [['pops', 1, 'id'], 'pops[1].id'],
    [['a b', 'c\n'], '"a b"."c\\n"'],
  ])('%j is shown as %s', (path, shown) => {
    expect(dotted(path)).toBe(shown);
  });
});

describe('a long list', () => {
  it('is cut after eight items, and says so', () => {
    expect(listed(['a', 'b'])).toBe('a, b');
    expect(listed(Array.from({ length: 10 }, (_, i) => `${i}`))).toBe('0, 1, 2, 3, 4, 5, 6, 7 and 2 more');
  });
});

describe('the nearest name', () => {
  it.each([
    ['intervall_ms', 'interval_ms'],
    ['interval', 'interval_ms'],
    ['flow', 'flows'],
    ['source-port', 'source_port'],
    ['colour', null],
    ['', null],
    ['x'.repeat(1_000_000), null],
  ])('to %.20s is %s', (name, meant) => {
    expect(nearest(name, ['name', 'kind', 'interval_ms', 'flows', 'source_port', 'size_bytes', 'dscp'])).toBe(meant);
  });
});
