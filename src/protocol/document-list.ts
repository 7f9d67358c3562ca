/** The list of a PoP's documents, as a collector answers it page by page and a reader checks it. */

import { z } from 'zod';
import { LIMITS } from '../base/limits.ts';

/** Members beyond these are ignored, so that an older reader understands a newer collector. */
export const documentListSchema = z.object({
  pop: z.string(),
  /** By sequence number. */
  documents: z
    .array(
      z.object({
        sequence: z.int().min(1),
        /** SHA-256 of its octets, base64url. */
        digest: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
        window_start_unix_s: z.int().min(0),
        window_length_s: z.int().min(1),
      }),
    )
    .max(LIMITS.listedDocumentsMax),
  /** What `after` of the next page is; null on the last one. */
  next_after: z.int().min(1).nullable(),
});

export type DocumentList = z.infer<typeof documentListSchema>;
