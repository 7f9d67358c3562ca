/** Reads the summaries that an agent has sealed and nobody has fetched, out of its spool; the records between them are passed over. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeDocument, sequenceOf } from '../../src/agent/spool-file.ts';
import { readHeader } from '../../src/protocol/jws-verify.ts';
import { parseSummary } from '../../src/protocol/parse-summary.ts';
import type { Summary } from '../../src/protocol/summary.ts';

/** In the order of the chain. */
export function spooledSummaries(folder: string): Summary[] {
  return readdirSync(folder)
    .toSorted()
    .flatMap((name) => {
      const sequence = sequenceOf(name);
      if (sequence === null) return [];
      const document = decodeDocument(sequence, readFileSync(join(folder, name)));
      if (typeof document === 'string') throw new Error(document);
      return readHeader(document.signature).kind === 'summary' ? [parseSummary(document.octets)] : [];
    });
}
