/** The summary document: what is read, and every way in which one is refused. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import type { Summary, SummaryPath } from '../../src/protocol/summary.ts';
import { parseSummary } from '../../src/protocol/parse-summary.ts';
import { refusalOf } from './refusal.ts';
import { buildCounts, buildPath, buildPeer, buildSummary, octetsOf } from './summary-fixture.ts';

const REFLECTED = { class: 'voice', family: 'ipv4' as const, flow: 0, received: 600, replied: 600 };

const CLASS = { class: 'best-effort', flows: 1, counts: buildCounts(), rtt: null, worst_flow: null };

function withParameters(overrides: Partial<Summary['parameters']>): Summary {
  const summary = buildSummary();
  return { ...summary, parameters: { ...summary.parameters, ...overrides } };
}

/** The document with one path that carries these changes. */
function withPath(overrides: Parameters<typeof buildPath>[0]): Summary {
  return buildSummary({ peers: [buildPeer('ams', { paths: [buildPath(overrides)] })] });
}

describe('a valid summary', () => {
  it('is read as it was written', () => {
    expect(parseSummary(octetsOf(buildSummary()))).toEqual(buildSummary());
  });

  it('is read whatever its outcomes are, as long as they add up', () => {
    const outcome = fc.nat(1_000_000);
    fc.assert(
      fc.property(outcome, outcome, outcome, outcome, outcome, (received, lost, refused, missed, voided) => {
        const counts = buildCounts({ received, lost, refused, missed, void: voided });
        expect(parseSummary(octetsOf(withPath({ counts }))).peers[0]?.paths[0]?.counts).toEqual(counts);
      }),
    );
  });
});

describe('octets that are no JSON, or are read in two ways', () => {
  const text = octetsOf(buildSummary());
  const cases: [string, Uint8Array][] = [
    ['nothing', new Uint8Array()],
    ['a truncated document', text.subarray(0, text.length - 10)],
    ['invalid UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22])],
    ['a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), text])],
    ['a member that stands there twice', Buffer.from(text.toString().replace('"lost":0', '"lost":9,"lost":0'))],
    ['one that is spelled in two ways', Buffer.from(text.toString().replace('"lost":0', '"l\\u006fst":9,"lost":0'))],
  ];

  it.each(cases)('are malformed: %s', (_what, octets) => {
    expect(() => parseSummary(octets)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });
});

describe('a document that breaks the schema', () => {
  const summary = buildSummary();
  const twoFlows = [buildPath({ flow: 1 }), buildPath({ flow: 1 })];
  const beyond: SummaryPath['histogram'] = { scheme: 'log2/6', relative_error: 0.0078125, buckets: [[2496, 1]] };
  const cases: [string, unknown, RegExp][] = [
    ['another schema', { ...summary, schema: 'popprobe.summary/2' }, /^schema: /],
    ['an unknown member', { ...summary, note: 'x' }, /note/],
    ['a missing member', { ...summary, boot_id: undefined }, /^boot_id: /],
    ['sequence 0', { ...summary, sequence: 0 }, /^sequence: /],
    ['a PoP name that is a path', { ...summary, pop: '../fra' }, /^pop: /],
    ['a fractional count', withPath({ counts: buildCounts({ missed: 0.5 }) }), /counts\.due/],
    ['a count beyond what a window can hold', withPath({ counts: buildCounts({ lost: 2 ** 40 }) }), /counts\.due/],
    ['a bucket the scheme does not have', withPath({ histogram: beyond }), /histogram\.buckets\.0/],
    ['an unequal sum of outcomes', withPath({ counts: buildCounts({ due: 601 }) }), /due 601, sum of outcomes 600/],
    ['more late than lost', withPath({ counts: buildCounts({ lost: 1, late: 2 }) }), /late, unreachable and corrupt/],
    ['a peer twice', { ...summary, peers: [buildPeer('ams'), buildPeer('ams')] }, /^ams: listed twice/],
    ['a path twice', { ...summary, peers: [buildPeer('ams', { paths: twoFlows })] }, /^ams\/.*: listed twice/],
    [
      'a session reflected twice',
      { ...summary, peers: [buildPeer('ams', { reflected: [REFLECTED, REFLECTED] })] },
      /^ams\/voice\/ipv4\/0: reflected twice/,
    ],
    [
      'more replies than requests',
      { ...summary, peers: [buildPeer('ams', { reflected: [{ ...REFLECTED, replied: 601 }] })] },
      /^ams\/voice\/ipv4\/0: 601 replies to 600 requests/,
    ],
    [
      'more sessions than two meshes can have',
      {
        ...summary,
        peers: [buildPeer('ams', { reflected: Array.from({ length: 33 }, (_, flow) => ({ ...REFLECTED, flow })) })],
      },
      /^peers\.0\.reflected: /,
    ],
    [
      'a class twice',
      { ...summary, peers: [buildPeer('ams', { paths: [buildPath()], classes: [CLASS, CLASS] })] },
      /^ams\/best-effort: listed twice/,
    ],
    ['a tick that no agent has', withParameters({ tick_ms: LIMITS.tickMsMax + 1 }), /^parameters\.tick_ms: /],
    ['a Tmax that no mesh has', withParameters({ tmax_ms: LIMITS.tmaxMsMax + 1 }), /^parameters\.tmax_ms: /],
    ['an interval that no mesh has', withPath({ interval_ms: 0.001 }), /interval_ms/],
    ['too few seconds', { ...summary, peers: [buildPeer('ams', { seconds: 'ggg' })] }, /^ams: 3 seconds in 60 s/],
    ['two different starts', { ...summary, window: { ...summary.window, start_unix_s: 1 } }, /^window: start/],
    ['a clock that nobody vouched for', { ...summary, clock: { ...summary.clock, source: 'none' } }, /^clock: .* none/],
    ['an offset of no clock', { ...summary, clock: { ...summary.clock, synchronised: false } }, /^clock: offset/],
    ['a negative error', { ...summary, clock: { ...summary.clock, max_error_ns: -1 } }, /^clock\.max_error_ns: /],
    ['traces, which are records', { ...summary, traces: [] }, /traces/],
    ['no object', 42, /^the document: /],
  ];

  it.each(cases)('is refused: %s', async (_what, document, found) => {
    const refusal = await refusalOf(() => parseSummary(octetsOf(document)));
    expect(refusal.code).toBe('schema');
    expect(refusal.found).toMatch(found);
  });

  it('is read no further than its first fault: a million of them would take gigabytes', async () => {
    const empty = Array.from({ length: 256 }, () => ({}));
    const peers = Array.from({ length: 4000 }, (_, index) => ({ ...buildPeer(`p${index}`), paths: empty }));
    const octets = octetsOf({ ...summary, peers });
    expect(octets.length).toBeLessThan(LIMITS.summaryBytesMax);
    expect((await refusalOf(() => parseSummary(octets))).found).toMatch(/^peers\.0\.paths\.0\.class: /);
  });

  it('is not read at all when one of its objects has more members than any of ours', async () => {
    const replies_refused = Object.fromEntries(Array.from({ length: 500_000 }, (_, index) => [`k${index}`, 0]));
    const document = { ...summary, instrument: { ...summary.instrument, replies_refused } };
    expect(await refusalOf(() => parseSummary(octetsOf(document)))).toMatchObject({
      code: 'malformed',
      expected: `JSON of at most ${LIMITS.documentMembersMax} members`,
    });
  });

  it('never throws anything but its two errors, whatever the JSON', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(() => parseSummary(Buffer.from(json))).toThrow(expect.objectContaining({ code: 'schema' }));
      }),
    );
  });
});
