/** Reads what an agent has signed and not delivered: its last window, most of the time, and what an outage has held up. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeDocument, sequenceOf } from '../agent/spool-file.ts';
import { PopprobeError } from '../base/errors.ts';
import type { Keyring } from '../collector/keyring.ts';
import { type LabDocument, verifiedDocument } from './stored-documents.ts';

/**
 * The documents in the spool folder of an agent that has ended, by sequence number.
 *
 * @throws PopprobeError `spool_unusable` for a file that is no document, and whatever `verifiedDocument` throws
 */
export async function readSpooledDocuments(pop: string, folder: string, keyring: Keyring): Promise<LabDocument[]> {
  const documents: LabDocument[] = [];
  for (const name of (await readdir(folder)).toSorted()) {
    const sequence = sequenceOf(name);
    if (sequence === null) continue;
    const file = join(folder, name);
    const document = decodeDocument(sequence, await readFile(file));
    if (typeof document === 'string') throw notADocument(file, document);
    documents.push(await verifiedDocument({ pop, sequence }, document, keyring));
  }
  return documents;
}

function notADocument(file: string, found: string): PopprobeError {
  return new PopprobeError('spool_unusable', {
    expected: `a signed document in ${file}`,
    found,
    remedy: 'look at the disk; the agent sets such files aside when it starts',
  });
}
