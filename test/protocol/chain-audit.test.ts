/** The audit of a chain: whole ones pass, and whatever is left out, put in, exchanged or moved in time is found. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AuditedDocument, ChainAudit } from '../../src/protocol/chain-audit.ts';

const START_S = 1_767_225_600;
const LENGTH_S = 60;
const BOOT = ['6f1c8f6e-3f0a-4c44-9a37-5d3a5b8f0d11', '0b0e8a4e-6d0c-4b7e-8a55-2a4d6a3c9e77'];

/** Documents 1 to `n`, with digests d1, d2, …; `change` may change any of them. */
function chainOf(
  n: number,
  change: (document: AuditedDocument) => Partial<AuditedDocument> = () => ({}),
): AuditedDocument[] {
  return Array.from({ length: n }, (_, index) => {
    const document = {
      sequence: index + 1,
      digest: `d${index + 1}`,
      prev: index === 0 ? null : `d${index}`,
      boot_id: BOOT[0] ?? '',
      window: { start_unix_s: START_S + index * LENGTH_S, length_s: LENGTH_S },
    };
    return { ...document, ...change(document) };
  });
}

function faultsOf(documents: readonly AuditedDocument[]): string[] {
  const audit = new ChainAudit();
  return documents.flatMap((document) => audit.add(document)).map(({ code, sequence }) => `${sequence} ${code}`);
}

/** The window of document `sequence`, this much later or earlier. */
function moved(sequence: number, byS: number, also: Partial<AuditedDocument> = {}) {
  return ({ sequence: own, window }: AuditedDocument): Partial<AuditedDocument> =>
    own === sequence ? { window: { ...window, start_unix_s: window.start_unix_s + byS }, ...also } : {};
}

describe('a whole chain', () => {
  it('has no fault, and tells where it begins, where it ends, and how many documents it has', () => {
    const audit = new ChainAudit();
    const chain = chainOf(4);
    expect([audit.first, audit.head, audit.documents, audit.runs]).toEqual([null, null, 0, 0]);
    expect(chain.flatMap((document) => audit.add(document))).toEqual([]);
    expect([audit.first, audit.head, audit.documents, audit.runs]).toEqual([chain[0], chain[3], 4, 1]);
  });

  it('may begin within a longer one', () => {
    expect(faultsOf(chainOf(5).slice(2))).toEqual([]);
  });

  it('may have two runs of an agent in one window, whatever the length of their windows', () => {
    const second = ({ sequence, window }: AuditedDocument): Partial<AuditedDocument> =>
      sequence < 3
        ? {}
        : { boot_id: BOOT[1] ?? '', window: { ...window, start_unix_s: window.start_unix_s - LENGTH_S } };
    const audit = new ChainAudit();
    expect(chainOf(4, second).flatMap((document) => audit.add(document))).toEqual([]);
    expect(audit.runs).toBe(2);
    const shorter = { boot_id: BOOT[1] ?? '', window: { start_unix_s: START_S + 110, length_s: 10 } };
    expect(faultsOf(chainOf(3, ({ sequence }) => (sequence === 3 ? shorter : {})))).toEqual([]);
  });
});

describe('a fault', () => {
  it('is a missing document, one line for each gap', () => {
    const without = (...gone: number[]) => chainOf(9).filter(({ sequence }) => !gone.includes(sequence));
    expect(faultsOf(without(4))).toEqual(['5 documents_missing']);
    expect(faultsOf(without(3, 4, 7))).toEqual(['5 documents_missing', '8 documents_missing']);
    const audit = new ChainAudit();
    const faults = without(3, 4).flatMap((document) => audit.add(document));
    expect(faults).toMatchObject([{ expected: 'documents 3 to 4 before it', found: 'none of these 2' }]);
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

  it('is time that two runs leave out between them, or windows of runs that do not touch', () => {
    expect(faultsOf(chainOf(3, moved(3, 60, { boot_id: BOOT[1] ?? '' })))).toEqual(['3 window_gap']);
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
