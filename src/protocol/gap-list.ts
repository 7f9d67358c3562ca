/** The list of a PoP's missing numbers, as a collector answers it page by page and a reader checks it. */

import { z } from 'zod';
import { LIMITS } from '../base/limits.ts';
import { GAP_REASONS } from './record-schema.ts';

const sequence = z.int().min(1);

/** Members beyond these are ignored, so that an older reader understands a newer collector. */
export const gapListSchema = z.object({
  pop: z.string(),
  /** Runs of numbers between the first and the last document that the collector has, ascending. */
  gaps: z
    .array(
      z.object({
        from_sequence: sequence,
        to_sequence: sequence,
        /** `open`: no record that the collector has declares these numbers. */
        state: z.enum(['declared', 'open']),
        /** Number of the record that declares them, and its reason; null when they are open. */
        declared_by: sequence.nullable(),
        reason: z.enum(GAP_REASONS).nullable(),
      }),
    )
    .max(LIMITS.listedGapsMax),
  /** What `after` of the next page is; null on the last one. */
  next_after: sequence.nullable(),
});

export type GapList = z.infer<typeof gapListSchema>;
