/**
 * Summary document v1: what one PoP states about one window, as types. The schema itself is in `summary-schema.ts`: an
 * agent that only writes documents need not carry the validator in its memory.
 */

import type { z } from 'zod';
import type { summarySchema } from './summary-schema.ts';

export type Summary = z.infer<typeof summarySchema>;
export type SummaryPeer = Summary['peers'][number];
export type SummaryPath = SummaryPeer['paths'][number];
export type SummaryCounts = SummaryPath['counts'];
export type SummaryReflected = SummaryPeer['reflected'][number];
export type SummaryClass = SummaryPeer['classes'][number];
export type SummaryDelay = NonNullable<SummaryPath['rtt']>;
