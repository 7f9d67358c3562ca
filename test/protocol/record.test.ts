/** The record document: what is read, and every way in which one is refused. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { parseDocument } from '../../src/protocol/parse-document.ts';
import { parseRecord } from '../../src/protocol/parse-record.ts';
import { buildRecord, EVENTS } from './record-fixture.ts';
import { refusalOf } from './refusal.ts';
import { buildSummary, buildTrace, octetsOf } from './summary-fixture.ts';

/** A record of an event with these changes, valid or not. */
function withEvent(kind: keyof typeof EVENTS, changes: Record<string, unknown>): unknown {
  return { ...buildRecord(EVENTS[kind]), event: { ...EVENTS[kind], ...changes } };
}

/** A record of a trace with these changes, valid or not. */
function withTrace(changes: Record<string, unknown>): unknown {
  return withEvent('trace', { trace: { ...buildTrace(), ...changes } });
}

const SILENCE = { address: null, rtt_us: null, icmp_type: null, icmp_code: null };

function hop(...answers: unknown[]): unknown {
  return { ttl: 1, answers };
}

describe('a valid record', () => {
  it.each(Object.values(EVENTS))('is read as it was written: $kind', (event) => {
    const record = buildRecord(event);
    expect(parseRecord(octetsOf(record))).toEqual(record);
  });

  it('is read with a trace over IPv6 that ended on the way, and with one that failed', () => {
    const ipv6 = buildTrace({ family: 'ipv6', address: '2001:db8::9', outcome: 'incomplete' });
    const failed = buildTrace({ outcome: 'failed', failure: 'no socket', hops: [], reason: 'requested' });
    for (const trace of [ipv6, failed]) {
      const record = buildRecord({ kind: 'trace', trace });
      expect(parseRecord(octetsOf(record))).toEqual(record);
    }
  });

  it('is read by the kind that its signature is for, and by no other', () => {
    const record = buildRecord(EVENTS.pair);
    const summary = buildSummary();
    expect(parseDocument(octetsOf(record), 'record')).toEqual({ kind: 'record', record });
    expect(parseDocument(octetsOf(summary), 'summary')).toEqual({ kind: 'summary', summary });
    for (const [document, kind] of [[record, 'summary'] as const, [summary, 'record'] as const]) {
      expect(() => parseDocument(octetsOf(document), kind)).toThrow(expect.objectContaining({ code: 'schema' }));
    }
  });

  it('may be the first of a chain, or the instrument well again', () => {
    const well = buildRecord({ kind: 'instrument', state: 'well', reasons: [] }, { sequence: 1 });
    expect(parseRecord(octetsOf(well))).toEqual(well);
  });

  it('holds the longest gap that it can declare within its size', () => {
    const first = Number.MAX_SAFE_INTEGER - 4 * LIMITS.gapRangesMax;
    const ranges = Array.from({ length: LIMITS.gapRangesMax }, (_, index): [number, number] => [
      first + 3 * index,
      first + 3 * index + 1,
    ]);
    const event = { kind: 'gap', ranges, reason: 'damaged' } as const;
    const record = buildRecord(event, { sequence: Number.MAX_SAFE_INTEGER });
    expect(parseRecord(octetsOf(record))).toEqual(record);
  });
});

describe('a record that breaks the schema or contradicts itself', () => {
  const record = buildRecord(EVENTS.pair);
  const cases: [string, unknown, RegExp][] = [
    ['another schema', { ...record, schema: 'popprobe.record/2' }, /^schema: /],
    ['an unknown member', { ...record, note: 'x' }, /note/],
    ['an unknown event', withEvent('pair', { kind: 'party' }), /^event\.kind: /],
    ['an unknown member of an event', withEvent('pair', { loss: 1 }), /^event: .*loss/],
    ['sequence 0', { ...record, sequence: 0 }, /^sequence: /],
    ['no milliseconds', { ...record, at: '2026-01-01T00:00:30Z' }, /^at: /],
    ['two different times', { ...record, at_unix_ms: 1 }, /^at: .* is not at_unix_ms 1$/],
    ['a gap that ends before it begins', withEvent('gap', { ranges: [[3, 2]] }), /^gap: documents 3 to 2 are none/],
    [
      'gaps out of order',
      withEvent('gap', {
        ranges: [
          [3, 3],
          [1, 1],
        ],
      }),
      /^gap: document 1 after document 3/,
    ],
    [
      'a number in two gaps',
      withEvent('gap', {
        ranges: [
          [1, 2],
          [2, 3],
        ],
      }),
      /^gap: document 2 after document 2/,
    ],
    ['a gap that is itself', withEvent('gap', { ranges: [[4, 5]] }), /^gap: document 5, declared by document 5/],
    ['a gap of nothing', withEvent('gap', { ranges: [] }), /^event\.ranges: /],
    ['a gap without a reason', withEvent('gap', { reason: 'forgot' }), /^event\.reason: /],
    ['no time unsealed', withEvent('unsealed', { to_unix_s: EVENTS.unsealed.from_unix_s }), /^unsealed: .* is no time/],
    ['no windows unsealed', withEvent('unsealed', { windows: 0 }), /^event\.windows: /],
    ['a step of nothing', withEvent('clock_step', { step_ns: 0 }), /^clock_step: /],
    ['an instrument sick of nothing', withEvent('instrument', { reasons: [] }), /^instrument: sick for 0 reasons/],
    ['an instrument well in spite of it', withEvent('instrument', { state: 'well' }), /^instrument: well for 2/],
    ['a reason twice', withEvent('instrument', { reasons: ['stalls', 'stalls'] }), /^instrument: a reason twice/],
    ['a key under another name', withEvent('key', { kid: 'A'.repeat(43) }), /^key: kid A{43} is not the thumbprint/],
    ['a key with another spelling', withEvent('key', { x: `${EVENTS.key.x.slice(0, -1)}p` }), /^key: x has a second/],
    ['no trace', withEvent('trace', { trace: undefined }), /^event\.trace: /],
    ['a trace to no address', withTrace({ address: 'ams.example' }), /^event\.trace\.address: /],
    ['a trace at no time', withTrace({ started_at: 'yesterday' }), /^event\.trace\.started_at: /],
    ['a trace that failed for no reason', withTrace({ outcome: 'failed' }), /^event\.trace: failure belongs/],
    ['a trace that reached and failed', withTrace({ failure: 'x' }), /^event\.trace: failure belongs/],
    ['a trace that starts at hop 2', withTrace({ hops: buildTrace().hops.slice(1) }), /^event\.trace: hops/],
    ['a hop with four probes', withTrace({ hops: [hop(SILENCE, SILENCE, SILENCE, SILENCE)] }), /hops\.0\.answers: /],
    ['an answer of nobody', withTrace({ hops: [hop({ ...SILENCE, rtt_us: 1 })] }), /answers\.0: all null, or none/],
    ['no object', 42, /^the document: /],
  ];

  it.each(cases)('is refused: %s', async (_what, document, found) => {
    const refusal = await refusalOf(() => parseRecord(octetsOf(document)));
    expect(refusal.code).toBe('schema');
    expect(refusal.found).toMatch(found);
  });

  it('never throws anything but its errors, whatever the JSON', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(() => parseRecord(Buffer.from(json))).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^(schema|malformed)$/) }),
        );
      }),
    );
  });
});

describe('octets that cost more than a record may', () => {
  it('are refused when there are too many, before they are read', async () => {
    const refusal = await refusalOf(() => parseRecord(Buffer.alloc(LIMITS.recordBytesMax + 1, '[')));
    expect(refusal).toMatchObject({ code: 'too_large', found: String(LIMITS.recordBytesMax + 1) });
  });

  const levels = LIMITS.documentLevelsMax;
  const members = LIMITS.documentMembersMax;
  const nested: [string, string, string][] = [
    ['arrays', `${'['.repeat(levels + 1)}${']'.repeat(levels + 1)}`, 'malformed'],
    ['objects', `${'{"a":'.repeat(levels + 1)}1${'}'.repeat(levels + 1)}`, 'malformed'],
    ['brackets behind a string with escapes', `["\\\\\\"",${'['.repeat(levels)}${']'.repeat(levels)}]`, 'malformed'],
    ['as many levels as there may be', `${'['.repeat(levels)}${']'.repeat(levels)}`, 'schema'],
    ['brackets within a string', `["\\"${'['.repeat(levels + 1)}"]`, 'schema'],
    ['many arrays side by side', `[${'[],'.repeat(levels)}[]]`, 'schema'],
    ['an array of too many members', `[${'0,'.repeat(members)}0]`, 'malformed'],
    ['an object of too many members', `{${'"a":0,'.repeat(members)}"a":0}`, 'malformed'],
    ['as many members as there may be', `[${'0,'.repeat(members - 1)}0]`, 'schema'],
    ['two arrays of that many', `[[${'0,'.repeat(members - 1)}0],[${'0,'.repeat(members - 1)}0]]`, 'schema'],
    ['commas within a string', `["${','.repeat(members)}"]`, 'schema'],
    ['closing brackets alone', ']]]', 'malformed'],
  ];

  it.each(nested)('are read no deeper and no wider than the limits: %s', async (_what, json, code) => {
    const refusal = await refusalOf(() => parseRecord(Buffer.from(json)));
    expect(refusal.code).toBe(code);
  });
});
