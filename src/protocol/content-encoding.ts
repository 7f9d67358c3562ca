/** How a document is compressed on its way: gzip everywhere, zstd (RFC 8878) where both runtimes have it. */

import { promisify } from 'node:util';
import * as zlib from 'node:zlib';

export type ContentEncoding = 'gzip' | 'zstd';

type Compress = (octets: Uint8Array) => Promise<Buffer>;
type Decompress = (octets: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer>;
interface Codec {
  compress: Compress;
  decompress: Decompress;
}

const CODECS: Partial<Record<ContentEncoding, Codec>> = {
  gzip: { compress: promisify(zlib.gzip), decompress: promisify(zlib.gunzip) },
  ...zstdCodec(),
};

/** What this runtime reads and writes, as the value of `accept-encoding`: `gzip` or `gzip, zstd`. */
export const ACCEPT_ENCODING = Object.keys(CODECS).join(', ');

/** Whether this runtime can read and write a content encoding. */
export function isContentEncoding(name: string): name is ContentEncoding {
  return Object.hasOwn(CODECS, name);
}

/** The best encoding of an `accept-encoding` header (RFC 9110 section 12.5.3) that this runtime has. */
export function bestEncoding(header: string): ContentEncoding {
  const names = header.split(',').map((item) => item.trim().toLowerCase());
  return names.includes('zstd') && isContentEncoding('zstd') ? 'zstd' : 'gzip';
}

/** Rejects when this runtime does not have the encoding. */
export async function compress(octets: Uint8Array, encoding: ContentEncoding): Promise<Uint8Array> {
  return await codecOf(encoding).compress(octets);
}

/**
 * Undoes `compress`. Rejects with a RangeError when more than `maxOutputLength` octets would come out, and with zlib's
 * error when the octets are not of the encoding.
 */
export async function decompress(
  octets: Uint8Array,
  encoding: ContentEncoding,
  maxOutputLength: number,
): Promise<Uint8Array> {
  return await codecOf(encoding).decompress(octets, { maxOutputLength });
}

function codecOf(encoding: ContentEncoding): Codec {
  const codec = CODECS[encoding];
  if (codec === undefined) throw new Error(`this runtime has no ${encoding}`);
  return codec;
}

/** Node.js has it from 22.15 on, and the types of 20 do not know it. */
function zstdCodec(): { zstd?: Codec } {
  const { zstdCompress, zstdDecompress } = zlib as unknown as Partial<
    Record<'zstdCompress' | 'zstdDecompress', typeof zlib.gzip>
  >;
  if (zstdCompress === undefined || zstdDecompress === undefined) return {};
  return { zstd: { compress: promisify(zstdCompress), decompress: promisify(zstdDecompress) } };
}
