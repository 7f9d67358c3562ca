/** Record document v1 as types: what a PoP states about one event. The schema itself is in `record-schema.ts`. */

import type { z } from 'zod';
import type { recordSchema } from './record-schema.ts';

export type ChainRecord = z.infer<typeof recordSchema>;
export type RecordEvent = ChainRecord['event'];
export type EventOf<Kind extends RecordEvent['kind']> = Extract<RecordEvent, { kind: Kind }>;
export type PathTrace = EventOf<'trace'>['trace'];
export type TraceHop = PathTrace['hops'][number];
export type TraceAnswer = TraceHop['answers'][number];
