/** Bodies: the limits hold before and after decompression, and hostile ones are cut off early. */

import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { decodeBody, receiveBody } from '../../src/collector/body.ts';
import { refusalOf } from '../protocol/refusal.ts';

/** The octets as a stream of chunks of at most 64 KiB, as they come from a socket. */
function streamOf(octets: Uint8Array): Readable {
  const chunks: Buffer[] = [];
  for (let at = 0; at < octets.length; at += 65_536) chunks.push(Buffer.from(octets.subarray(at, at + 65_536)));
  return Readable.from(chunks);
}

const ANY_ROOM = { take: () => null };

const readOctets = async (body: Readable, encoding: string | undefined): Promise<Uint8Array> =>
  await decodeBody(await receiveBody(body, ANY_ROOM), encoding);

describe('a body', () => {
  it('is read as it was sent, plain or compressed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200_000 }), async (octets) => {
        const expected = Buffer.from(octets);
        expect(await readOctets(streamOf(octets), undefined)).toEqual(expected);
        expect(await readOctets(streamOf(octets), 'identity')).toEqual(expected);
        expect(await readOctets(streamOf(gzipSync(octets)), 'gzip')).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  it('may be exactly as large as the limit, and not one octet larger', async () => {
    const largest = Buffer.alloc(LIMITS.summaryBodyBytesMax);
    expect(await readOctets(streamOf(largest), undefined)).toHaveLength(LIMITS.summaryBodyBytesMax);
    const refusal = await refusalOf(() => readOctets(streamOf(Buffer.concat([largest, Buffer.alloc(1)])), undefined));
    expect(refusal.code).toBe('too_large');
  });

  it('may decompress to exactly the limit, and not to one octet more', async () => {
    const largest = gzipSync(Buffer.alloc(LIMITS.summaryBytesMax));
    expect(await readOctets(streamOf(largest), 'gzip')).toHaveLength(LIMITS.summaryBytesMax);
    const larger = gzipSync(Buffer.alloc(LIMITS.summaryBytesMax + 1));
    expect((await refusalOf(() => readOctets(streamOf(larger), 'gzip'))).code).toBe('too_large');
  });

  it('is cut off where a gzip bomb passes the limit: what follows is never looked at', async () => {
    const bomb = gzipSync(Buffer.alloc(32 * 1024 * 1024));
    // Broken from its middle on, far beyond the limit: whoever inflated it all would find it corrupt.
    bomb.fill(0xff, Math.floor(bomb.length / 2));
    expect((await refusalOf(() => readOctets(streamOf(bomb), 'gzip'))).code).toBe('too_large');
  });

  it('takes no more memory when it comes one octet at a time', async () => {
    v8.setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const heapBytes = (): number => {
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const before = heapBytes();
    let taken = 0;
    const octets = (async function* chunks() {
      for (let sent = 0; sent < 200_000; sent += 1) yield Buffer.alloc(1);
      await setImmediate();
      taken = heapBytes() - before;
    })();
    expect(await receiveBody(octets, ANY_ROOM)).toHaveLength(200_000);
    // An object for each octet would be some 20 MB.
    expect(taken).toBeLessThan(5_000_000);
  });

  it('is not read for ever: beyond the drain limit the stream is abandoned', async () => {
    let sent = 0;
    const endless = Readable.from(
      (function* chunks() {
        for (;;) {
          sent += 1_048_576;
          yield Buffer.alloc(1_048_576);
        }
      })(),
    );
    expect((await refusalOf(() => readOctets(endless, undefined))).code).toBe('too_large');
    expect(endless.destroyed).toBe(true);
    expect(sent).toBeLessThan(2 * LIMITS.refusedBodyDrainBytesMax);
  });

  it('of any bytes called gzip is decompressed or refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1 }), async (octets) => {
        const magic = Buffer.concat([Buffer.from([0x1f, 0x8b, 0x08, 0x00]), octets]);
        for (const body of [octets, magic]) {
          expect((await refusalOf(() => readOctets(streamOf(body), 'gzip'))).code).toBe('malformed');
        }
      }),
    );
  });
});
