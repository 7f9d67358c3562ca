/** The list of a PoP's documents, as a collector answers it page by page and a reader checks it. */

import { z } from 'zod';
import { LIMITS } from '../base/limits.ts';

const sequence = z.int().min(1);
/** SHA-256 of a document's octets, base64url. */
const digest = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** Members beyond these are ignored, so that an older reader understands a newer collector. */
export const documentListSchema = z.object({
  pop: z.string(),
  /** By sequence number. */
  documents: z
    .array(
      z.discriminatedUnion('kind', [
        z.object({
          kind: z.literal('summary'),
          sequence,
          digest,
          window_start_unix_s: z.int().min(0),
          window_length_s: z.int().min(1),
        }),
        z.object({ kind: z.literal('record'), sequence, digest, at_unix_ms: z.int().min(0) }),
      ]),
    )
    .max(LIMITS.listedDocumentsMax),
  /** What `after` of the next page is; null on the last one. */
  next_after: sequence.nullable(),
});

export type DocumentList = z.infer<typeof documentListSchema>;
