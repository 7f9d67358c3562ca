/** Builds complete, valid records for tests; a test changes only what it is about. */

import type { ChainRecord, EventOf, RecordEvent } from '../../src/protocol/record.ts';
import { RECORD_SCHEMA } from '../../src/protocol/record-schema.ts';
import { buildSummary, buildTrace, WINDOW_START_S } from './summary-fixture.ts';

/** A valid event of each kind; the gap is one that a document of number 4 or higher may declare. */
export const EVENTS: { readonly [Kind in RecordEvent['kind']]: EventOf<Kind> } = {
  gap: { kind: 'gap', ranges: [[2, 3]], reason: 'spool_full' },
  unsealed: {
    kind: 'unsealed',
    from_unix_s: WINDOW_START_S,
    to_unix_s: WINDOW_START_S + 120,
    windows: 2,
    reason: 'disk',
  },
  pair: { kind: 'pair', peer: 'ams', state: 'bad', family: 'ipv4' },
  trace: { kind: 'trace', trace: buildTrace() },
  clock_step: { kind: 'clock_step', step_ns: -1_500_000_000 },
  instrument: { kind: 'instrument', state: 'sick', reasons: ['stalls', 'socket_drops'] },
  // The key of RFC 8037 appendix A.1, and its thumbprint of appendix A.3.
  key: {
    kind: 'key',
    kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  },
};

/** A record of PoP fra, of the same run as `buildSummary`. */
export function buildRecord(event: RecordEvent, overrides: Partial<ChainRecord> = {}): ChainRecord {
  const { pop, boot_id, software } = buildSummary();
  const atMs = overrides.at_unix_ms ?? WINDOW_START_S * 1000 + 30_250;
  return {
    schema: RECORD_SCHEMA,
    pop,
    boot_id,
    sequence: 5,
    prev: null,
    at: new Date(atMs).toISOString(),
    at_unix_ms: atMs,
    software,
    event,
    ...overrides,
  };
}
