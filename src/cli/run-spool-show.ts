/** Shows one document of a spool folder. */

import { existsSync } from 'node:fs';
import { decodeDocument, DOCUMENT_FILE_BYTES_MAX, type SealedDocument } from '../agent/spool-file.ts';
import { PopprobeError } from '../base/errors.ts';
import { cleanMessage } from '../config/quote.ts';
import { FileRefused, readSmallFile } from '../config/small-file.ts';
import { spooledPath } from './spooled-files.ts';
import { spoolPlace } from './spool-place.ts';
import type { ShowOptions } from './spool.ts';

/** @throws PopprobeError `not_found` when there is none of this number, `not_a_document` when it is not whole */
export function runSpoolShow(sequence: number, options: ShowOptions, out: NodeJS.WriteStream): void {
  const { directory } = spoolPlace(options);
  const paths = [false, true].map((isQuarantined) => spooledPath(directory, sequence, isQuarantined));
  const path = paths.find((each) => existsSync(each));
  if (path === undefined) {
    throw new PopprobeError('not_found', {
      expected: `document ${sequence} in ${directory} or its quarantine`,
      found: 'none',
      remedy: 'see "popprobe spool list"; what was delivered is at the collector',
    });
  }
  const { octets, signature } = read(path, sequence);
  if (options.signature === true) out.write(`${signature}\n`);
  if (options.octets === true) out.write(octets);
  if (options.signature === true || options.octets === true) return;
  out.write(`${laidOut(path, octets)}\n`);
}

function read(path: string, sequence: number): SealedDocument {
  const document = decoded(path, sequence);
  if (typeof document !== 'string') return document;
  throw noDocument(`a whole document in ${path}`, document, 'see docs/delivery.md on the quarantine');
}

/** Whole is what has the digest of its first line: that it is JSON as well only its signer could say. */
function laidOut(path: string, octets: Uint8Array): string {
  try {
    return JSON.stringify(JSON.parse(Buffer.from(octets).toString()), null, 2);
  } catch (cause) {
    const found = cleanMessage(cause instanceof Error ? cause.message : String(cause));
    throw noDocument(`JSON in ${path}`, found, 'see its octets with --octets');
  }
}

function noDocument(expected: string, found: string, remedy: string): PopprobeError {
  return new PopprobeError('not_a_document', { expected, found, remedy });
}

function decoded(path: string, sequence: number): SealedDocument | string {
  try {
    return decodeDocument(sequence, readSmallFile(path, DOCUMENT_FILE_BYTES_MAX).octets);
  } catch (cause) {
    if (cause instanceof FileRefused) return cause.message;
    throw cause;
  }
}
