/** A status as JSON text in pieces: the newest summary in it is a megabyte, and stays the text that it is. */

import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { PackedStatus } from './status.ts';

/** The summary goes out piece by piece: as objects, a thousand paths would take 10 MB. */
export function statusText(status: PackedStatus): Readable {
  return Readable.from(pieces(status));
}

async function* pieces({ latest, ...rest }: PackedStatus): AsyncGenerator<Buffer | string> {
  const text = JSON.stringify({ ...rest, latest: null });
  if (latest === null) {
    yield `${text}\n`;
    return;
  }
  yield text.slice(0, -'null}'.length);
  const summary: AsyncIterable<Buffer> = Readable.from([latest]).pipe(createGunzip());
  yield* summary;
  yield '}\n';
}
