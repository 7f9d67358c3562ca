/** The audit of a chain: whole ones pass, and whatever is left out, put in, exchanged or moved in time is found. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AuditedDocument, type AuditedSummary, declarationsIn } from '../../src/protocol/audited-document.ts';
import { ChainAudit, type ChainNote } from '../../src/protocol/chain-audit.ts';
import type { EventOf } from '../../src/protocol/record.ts';

const START_S = 1_767_225_600;
const LENGTH_S = 60;
const BOOT = ['6f1c8f6e-3f0a-4c44-9a37-5d3a5b8f0d11', '0b0e8a4e-6d0c-4b7e-8a55-2a4d6a3c9e77'];

/** Documents 1 to `n`, with digests d1, d2, …; `change` may change any of them. */
function chainOf(
  n: number,
  change: (document: AuditedSummary) => Partial<AuditedSummary> = () => ({}),
): AuditedSummary[] {
  return Array.from({ length: n }, (_, index) => {
    const document = {
      kind: 'summary' as const,
      kid: 'k1',
      sequence: index + 1,
      digest: `d${index + 1}`,
      prev: index === 0 ? null : `d${index}`,
      boot_id: BOOT[0] ?? '',
      window: { start_unix_s: START_S + index * LENGTH_S, length_s: LENGTH_S },
    };
    return { ...document, ...change(document) };
  });
}

function auditOf(documents: readonly AuditedDocument[]) {
  const audit = new ChainAudit(declarationsIn(documents));
  const findings = documents.map((document) => audit.add(document));
  return { audit, faults: findings.flatMap(({ faults }) => faults), notes: findings.flatMap(({ notes }) => notes) };
}

function faultsOf(documents: readonly AuditedDocument[]): string[] {
  return auditOf(documents).faults.map(({ code, sequence }) => `${sequence} ${code}`);
}

function notesOf(documents: readonly AuditedDocument[]): ChainNote[] {
  return auditOf(documents).notes;
}

type ChainEvent = EventOf<'gap'> | EventOf<'unsealed'> | EventOf<'key'>;

/**
 * The chain with a record put in behind document `sequence`: those behind it have the next number, and the same windows.
 * Null is an event that says nothing of the chain.
 */
function withRecord(
  chain: readonly AuditedDocument[],
  sequence: number,
  event: ChainEvent | null,
  by: Partial<AuditedDocument> = {},
): AuditedDocument[] {
  const renumbered = (document: AuditedDocument): AuditedDocument => {
    const own = document.sequence + 1;
    return { ...document, sequence: own, digest: `d${own}`, prev: document.prev === null ? null : `d${own - 1}` };
  };
  const { boot_id = BOOT[0] ?? '', kid = 'k1' } = by;
  const link = { sequence: sequence + 1, digest: `d${sequence + 1}`, prev: `d${sequence}`, boot_id, kid };
  return [...chain.slice(0, sequence), { kind: 'record', ...link, event }, ...chain.slice(sequence).map(renumbered)];
}

function without(documents: readonly AuditedDocument[], ...gone: number[]): AuditedDocument[] {
  return documents.filter(({ sequence }) => !gone.includes(sequence));
}

function gap(...ranges: [number, number][]): EventOf<'gap'> {
  return { kind: 'gap', ranges, reason: 'spool_full' };
}

function keyRecord(kid: string): EventOf<'key'> {
  return { kind: 'key', kid, x: '' };
}

/** The window of document `sequence`, this much later or earlier. */
function moved(sequence: number, byS: number, also: Partial<AuditedSummary> = {}) {
  return ({ sequence: own, window }: AuditedSummary): Partial<AuditedSummary> =>
    own === sequence ? { window: { ...window, start_unix_s: window.start_unix_s + byS }, ...also } : {};
}

describe('a whole chain', () => {
  it('has no fault, and tells where it begins, where it ends, and how many documents it has', () => {
    const chain = chainOf(4);
    const nothing = auditOf([]).audit;
    expect([nothing.first, nothing.head, nothing.documents, nothing.runs]).toEqual([null, null, 0, 0]);
    const { audit, faults, notes } = auditOf(chain);
    expect([faults, notes]).toEqual([[], []]);
    expect([audit.first, audit.head, audit.documents, audit.runs]).toEqual([chain[0], chain[3], 4, 1]);
    expect([audit.firstSummary, audit.lastSummary, audit.records]).toEqual([chain[0], chain[3], 0]);
  });

  it('may begin within a longer one', () => {
    expect(faultsOf(chainOf(5).slice(2))).toEqual([]);
  });

  it('may have two runs of an agent in one window, whatever the length of their windows', () => {
    const second = ({ sequence, window }: AuditedSummary): Partial<AuditedSummary> =>
      sequence < 3
        ? {}
        : { boot_id: BOOT[1] ?? '', window: { ...window, start_unix_s: window.start_unix_s - LENGTH_S } };
    const { audit, faults, notes } = auditOf(chainOf(4, second));
    expect([faults, notes, audit.runs]).toEqual([[], [], 2]);
    const shorter = { boot_id: BOOT[1] ?? '', window: { start_unix_s: START_S + 110, length_s: 10 } };
    expect(faultsOf(chainOf(3, ({ sequence }) => (sequence === 3 ? shorter : {})))).toEqual([]);
  });
});

describe('a fault', () => {
  it('is a missing document, one line for each gap', () => {
    expect(faultsOf(without(chainOf(9), 4))).toEqual(['5 documents_missing']);
    expect(faultsOf(without(chainOf(9), 3, 4, 7))).toEqual(['5 documents_missing', '8 documents_missing']);
    expect(auditOf(without(chainOf(9), 3, 4)).faults).toMatchObject([
      { expected: 'documents 3 to 4 before it', found: 'none of these 2' },
    ]);
  });

  it('is a new chain behind a gap', () => {
    const documents = chainOf(9, ({ sequence }) => (sequence === 6 ? { prev: null } : {}));
    expect(faultsOf(documents.filter(({ sequence }) => sequence !== 5))).toEqual(['6 chain_restart']);
    expect(faultsOf(documents)).toEqual(['6 chain_conflict']);
  });

  it('is a document that was exchanged', () => {
    expect(faultsOf(chainOf(4, ({ sequence }) => (sequence === 2 ? { digest: 'x' } : {})))).toEqual([
      '3 chain_conflict',
    ]);
  });

  it('is a number used twice, whichever of the two comes first; the chain goes on from the one that is named', () => {
    const chain = chainOf(4);
    const replay = chain.slice(1, 2).map((document) => ({ ...document, digest: 'x' }));
    const [one, two, ...rest] = chain;
    if (!one || !two) throw new Error('two documents expected');
    expect(faultsOf([one, two, ...replay, ...rest])).toEqual(['2 document_replayed']);
    expect(faultsOf([one, ...replay, two, ...rest])).toEqual(['2 document_replayed']);
    expect(faultsOf([one, two, two, ...rest])).toEqual(['2 document_replayed']);
  });

  it('is time that no window covers, or two do', () => {
    expect(faultsOf(chainOf(3, moved(3, 1)))).toEqual(['3 window_gap']);
    expect(faultsOf(chainOf(3, moved(3, -1)))).toEqual(['3 window_overlap']);
    expect(faultsOf(chainOf(4, moved(2, 1)))).toEqual(['2 window_gap', '3 window_overlap']);
  });

  it('is a window of another run that does not touch the one before', () => {
    expect(faultsOf(chainOf(3, moved(3, -600, { boot_id: BOOT[1] ?? '' })))).toEqual(['3 window_overlap']);
  });

  it('is found also behind a gap in the numbers', () => {
    expect(faultsOf(chainOf(4, moved(3, -120)).filter(({ sequence }) => sequence !== 2))).toEqual([
      '3 documents_missing',
      '3 window_overlap',
      '4 window_gap',
    ]);
  });
});

describe('a record in the chain', () => {
  it('is a document like the others, without a window', () => {
    const documents = withRecord(chainOf(4), 2, null);
    const { audit, faults, notes } = auditOf(documents);
    expect([faults, notes]).toEqual([[], []]);
    expect([audit.documents, audit.records, audit.runs]).toEqual([5, 1, 1]);
    expect(audit.head).toMatchObject({ sequence: 5, kind: 'summary' });
    expect(faultsOf(without(documents, 3))).toEqual(['4 documents_missing']);
    const [one, two, record, ...rest] = documents;
    if (!one || !two || !record) throw new Error('three documents expected');
    expect(faultsOf([one, two, { ...record, digest: 'x' }, ...rest])).toEqual(['4 chain_conflict']);
    expect(faultsOf([one, two, record, record, ...rest])).toEqual(['3 document_replayed']);
  });

  it('may be the first, the last, or the only one', () => {
    const ends = withRecord(chainOf(1), 1, null).toReversed();
    const record = ends[0] ?? null;
    const { audit, faults } = auditOf(record ? [record] : []);
    expect([faults, audit.first, audit.head, audit.firstSummary]).toEqual([[], record, record, null]);
    expect(faultsOf(withRecord(chainOf(2), 2, null))).toEqual([]);
  });

  it('does not hide time between the windows around it', () => {
    expect(faultsOf(withRecord(chainOf(3, moved(3, 7)), 2, null))).toEqual(['4 window_gap']);
  });

  it('may begin a run, which is counted once', () => {
    const boot_id = BOOT[1] ?? '';
    const chain = chainOf(4, ({ sequence }) => (sequence > 2 ? { boot_id } : {}));
    expect(auditOf(withRecord(chain, 2, null, { boot_id })).audit.runs).toBe(2);
  });
});

describe('what a gap record declares', () => {
  const documents = withRecord(chainOf(9), 7, gap([2, 4]));

  it('is a note, with the numbers, the reason and the record, and the time that has no window', () => {
    const kept = without(documents, 2, 3, 4);
    expect(faultsOf(kept)).toEqual([]);
    expect(notesOf(kept)).toEqual([
      { code: 'documents_given_up', from: 2, to: 4, by: 8, reason: 'spool_full' },
      { code: 'time_given_up', fromS: START_S + 60, toS: START_S + 240 },
    ]);
  });

  it('excuses no other number beside it', () => {
    const { faults, notes } = auditOf(without(documents, 2, 3, 4, 5));
    expect(faults).toMatchObject([{ code: 'documents_missing', sequence: 6, expected: 'document 5 before it' }]);
    expect(notes).toEqual([{ code: 'documents_given_up', from: 2, to: 4, by: 8, reason: 'spool_full' }]);
    const around = withRecord(chainOf(9), 8, gap([3, 3], [5, 5]));
    expect(auditOf(without(around, 2, 3, 4, 5, 6)).faults.map(({ expected }) => expected)).toEqual([
      'document 2 before it',
      'document 4 before it',
      'document 6 before it',
    ]);
  });

  it('says nothing where the documents are there after all', () => {
    const { faults, notes } = auditOf(documents);
    expect([faults, notes]).toEqual([[], []]);
    expect(notesOf(without(documents, 3))).toMatchObject([{ from: 3, to: 3 }, { code: 'time_given_up' }]);
  });

  it('does not excuse a document that was exchanged, nor a chain that begins anew', () => {
    const kept = without(documents, 2, 3, 4);
    expect(
      faultsOf(kept.map((document) => (document.sequence === 5 ? { ...document, prev: null } : document))),
    ).toEqual(['5 chain_restart']);
    expect(faultsOf(kept.map((document) => (document.sequence === 6 ? { ...document, prev: 'x' } : document)))).toEqual(
      ['6 chain_conflict'],
    );
  });

  it('is told once when it is declared twice', () => {
    const twice = withRecord(documents, 8, gap([2, 3]));
    expect(notesOf(without(twice, 2, 3, 4)).filter(({ code }) => code === 'documents_given_up')).toEqual([
      { code: 'documents_given_up', from: 2, to: 4, by: 8, reason: 'spool_full' },
    ]);
  });
});

describe('time without a window', () => {
  const boot_id = BOOT[1] ?? '';

  it('between two runs is a note: the agent was not running', () => {
    const documents = chainOf(4, ({ sequence, window }) =>
      sequence < 3 ? {} : { boot_id, window: { ...window, start_unix_s: window.start_unix_s + 600 } },
    );
    expect(faultsOf(documents)).toEqual([]);
    const fromS = START_S + 120;
    expect(notesOf(documents)).toEqual([{ code: 'not_running', fromS, toS: fromS + 600, sequence: 3 }]);
  });

  it('that an unsealed record covers is a note, and what it does not cover is a fault still', () => {
    const fromS = START_S + 120;
    const later = ({ sequence, window }: AuditedSummary): Partial<AuditedSummary> =>
      sequence < 3 ? {} : { window: { ...window, start_unix_s: window.start_unix_s + 180 } };
    const covering = (lengthS: number): AuditedDocument[] =>
      withRecord(chainOf(4, later), 3, {
        kind: 'unsealed',
        from_unix_s: fromS,
        to_unix_s: fromS + lengthS,
        windows: 3,
        reason: 'disk',
      });
    expect(faultsOf(covering(180))).toEqual([]);
    expect(notesOf(covering(180))).toEqual([
      { code: 'windows_unsealed', fromS, toS: fromS + 180, by: 4, reason: 'disk' },
    ]);
    expect(auditOf(covering(120)).faults).toMatchObject([
      { code: 'window_gap', sequence: 3, found: '60 s that no window covers' },
    ]);
    expect(notesOf(covering(120))).toMatchObject([{ toS: fromS + 120 }]);
  });

  it('is told in its parts: unsealed, then not running', () => {
    const fromS = START_S + 60;
    const documents = withRecord(chainOf(2, moved(2, 120, { boot_id })), 2, {
      kind: 'unsealed',
      from_unix_s: fromS,
      to_unix_s: fromS + 60,
      windows: 1,
      reason: 'disk',
    });
    expect(faultsOf(documents)).toEqual([]);
    expect(notesOf(documents)).toMatchObject([
      { code: 'windows_unsealed', fromS, toS: fromS + 60 },
      { code: 'not_running', fromS: fromS + 60, toS: fromS + 120 },
    ]);
  });
});

describe('a change of the key', () => {
  const from = (sequence: number, kid: string) => (document: AuditedSummary) =>
    document.sequence >= sequence ? { kid } : {};

  it('is a note when the key before has announced it', () => {
    const documents = withRecord(chainOf(4, from(3, 'k2')), 2, keyRecord('k2'));
    expect(faultsOf(documents)).toEqual([]);
    expect(notesOf(documents)).toEqual([{ code: 'key_changed', sequence: 4, from: 'k1', to: 'k2' }]);
  });

  it('may come some documents after its announcement, and may be announced twice', () => {
    const once = withRecord(chainOf(4, from(4, 'k2')), 2, keyRecord('k2'));
    expect(faultsOf(once)).toEqual([]);
    expect(faultsOf(withRecord(once, 3, keyRecord('k2')))).toEqual([]);
  });

  it('is a fault when nobody has announced it, or not the key before, or another one', () => {
    const chain = chainOf(4, from(3, 'k2'));
    expect(faultsOf(chain)).toEqual(['3 key_unannounced']);
    expect(faultsOf(withRecord(chain, 2, keyRecord('k3')))).toEqual(['4 key_unannounced']);
    expect(faultsOf(withRecord(chain, 2, keyRecord('k2'), { kid: 'k2' }))).toEqual(['3 key_unannounced']);
    expect(faultsOf(withRecord(chain, 3, keyRecord('k2')))).toEqual(['3 key_unannounced', '4 key_unannounced']);
  });

  it('is not announced for ever: the key that was left must be announced again', () => {
    const back = chainOf(6, ({ sequence }) => ({ kid: sequence === 3 || sequence === 4 ? 'k2' : 'k1' }));
    expect(faultsOf(withRecord(back, 2, keyRecord('k2')))).toEqual(['6 key_unannounced']);
    const announced = withRecord(withRecord(back, 2, keyRecord('k2')), 5, keyRecord('k1'), { kid: 'k2' });
    expect(faultsOf(announced)).toEqual([]);
  });

  it('is free where a chain begins', () => {
    const documents = chainOf(9, (document) => ({
      ...from(6, 'k2')(document),
      ...(document.sequence === 6 && { prev: null }),
    }));
    expect(faultsOf(without(documents, 5))).toEqual(['6 chain_restart']);
  });

  it('behind a gap is announced before the gap or not at all', () => {
    const documents = withRecord(withRecord(chainOf(9, from(5, 'k2')), 2, keyRecord('k2')), 9, gap([4, 5]), {
      kid: 'k2',
    });
    expect(faultsOf(without(documents, 4, 5))).toEqual([]);
    const hidden = withRecord(withRecord(chainOf(9, from(5, 'k2')), 4, keyRecord('k2')), 9, gap([5, 5]), { kid: 'k2' });
    expect(faultsOf(without(hidden, 5))).toEqual(['6 key_unannounced']);
  });
});

describe('any documents', () => {
  it('taken from the middle of a chain are missed, and none else', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 2, max: 19 }), { maxLength: 10 }), (gone) => {
        const expected = Array.from({ length: 20 }, (_, index) => index + 1)
          .filter((sequence) => !gone.includes(sequence) && gone.includes(sequence - 1))
          .map((sequence) => `${sequence} documents_missing`);
        expect(faultsOf(chainOf(20).filter(({ sequence }) => !gone.includes(sequence)))).toEqual(expected);
      }),
      { seed: 1 },
    );
  });

  it('out of order are the mistake of whoever hands them in', () => {
    expect(() => faultsOf(chainOf(2).toReversed())).toThrow(RangeError);
  });
});
