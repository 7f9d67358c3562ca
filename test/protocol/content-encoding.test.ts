/** Content encodings: what is compressed comes back, limits hold, and zstd is chosen where both ends have it. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ACCEPT_ENCODING,
  bestEncoding,
  compress,
  type ContentEncoding,
  decompress,
  isContentEncoding,
} from '../../src/protocol/content-encoding.ts';

const hasZstd = ACCEPT_ENCODING.includes('zstd');
const encodings: ContentEncoding[] = hasZstd ? ['gzip', 'zstd'] : ['gzip'];

describe.each(encodings)('%s', (encoding) => {
  it('gives back what was compressed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 100_000 }), async (octets) => {
        const there = await compress(octets, encoding);
        expect(Buffer.from(await decompress(there, encoding, octets.length))).toEqual(Buffer.from(octets));
      }),
      { numRuns: 30 },
    );
  });

  it('stops at the limit, however little was sent', async () => {
    const bomb = await compress(Buffer.alloc(32 * 1024 * 1024), encoding);
    await expect(decompress(bomb, encoding, 1_000_000)).rejects.toThrow(RangeError);
  });

  it('is refused when it is something else', async () => {
    await expect(decompress(Buffer.from('something else, and long enough'), encoding, 1000)).rejects.toThrow(Error);
  });
});

describe('the best encoding', () => {
  it.each(['', 'gzip', 'gzip, br', 'zstandard', 'gzip;q=1'])('of %j is gzip', (header) => {
    expect(bestEncoding(header)).toBe('gzip');
  });

  it.each(['zstd', 'gzip, zstd', 'GZIP,ZSTD'])('of %j is zstd where this runtime has it, else gzip', (header) => {
    expect(bestEncoding(header)).toBe(hasZstd ? 'zstd' : 'gzip');
  });

  it('is never one that this runtime lacks, nor a name of an object', () => {
    for (const name of ['br', 'deflate', 'identity', 'constructor', '__proto__']) {
      expect(isContentEncoding(name)).toBe(false);
    }
    expect(isContentEncoding('zstd')).toBe(hasZstd);
  });
});
