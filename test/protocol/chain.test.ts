/** The hash chain: every verdict, and that the order of arrival does not matter. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ChainLink, judgeLink } from '../../src/protocol/chain.ts';

const none = { before: null, same: null, after: null };
const link = (sequence: number, digest: string, prev: string | null): ChainLink => ({ sequence, digest, prev });

/** The verdicts on links that arrive one after another, each stored when it fits. */
function arrive(arrivals: readonly ChainLink[]): string[] {
  const stored = new Map<number, ChainLink>();
  return arrivals.map((arrival) => {
    const at = (sequence: number) => stored.get(sequence) ?? null;
    const s = arrival.sequence;
    const { verdict } = judgeLink(arrival, { before: at(s - 1), same: at(s), after: at(s + 1) });
    if (verdict === 'fits') stored.set(s, arrival);
    return verdict;
  });
}

describe('a document', () => {
  it('fits into an empty chain, whether it names a predecessor or not', () => {
    expect(judgeLink(link(1, 'a', null), none)).toEqual({ verdict: 'fits' });
    expect(judgeLink(link(7, 'g', 'f'), none)).toEqual({ verdict: 'fits' });
  });

  it('fits between neighbours that agree', () => {
    const neighbours = { before: link(1, 'a', null), same: null, after: link(3, 'c', 'b') };
    expect(judgeLink(link(2, 'b', 'a'), neighbours)).toEqual({ verdict: 'fits' });
  });

  it('is a duplicate of itself, whatever its neighbours are', () => {
    const neighbours = { before: link(1, 'x', null), same: link(2, 'b', 'a'), after: link(3, 'c', 'y') };
    expect(judgeLink(link(2, 'b', 'a'), neighbours)).toEqual({ verdict: 'duplicate' });
  });

  it('conflicts with other octets of the same sequence number', () => {
    const verdict = judgeLink(link(2, 'b', 'a'), { ...none, same: link(2, 'B', 'a') });
    expect(verdict).toEqual({
      verdict: 'conflict',
      expected: 'document 2 with digest B, as stored',
      found: 'digest b',
    });
  });

  it('conflicts with a predecessor it does not name', () => {
    const verdict = judgeLink(link(2, 'b', 'x'), { ...none, before: link(1, 'a', null) });
    expect(verdict).toEqual({ verdict: 'conflict', expected: 'prev a, the digest of document 1', found: 'prev x' });
  });

  it('may not start a chain after a stored predecessor', () => {
    const verdict = judgeLink(link(2, 'b', null), { ...none, before: link(1, 'a', null) });
    expect(verdict).toMatchObject({ verdict: 'conflict', found: 'prev null' });
  });

  it('conflicts with a successor that does not name it', () => {
    const verdict = judgeLink(link(2, 'b', 'a'), { ...none, after: link(3, 'c', 'x') });
    expect(verdict).toEqual({
      verdict: 'conflict',
      expected: 'digest x, which document 3 names as prev',
      found: 'digest b',
    });
  });

  it('conflicts with a successor that started a chain', () => {
    const verdict = judgeLink(link(2, 'b', 'a'), { ...none, after: link(3, 'c', null) });
    expect(verdict).toMatchObject({ verdict: 'conflict' });
  });
});

describe('a whole chain', () => {
  const chain = ['a', 'b', 'c', 'd', 'e', 'f'].map((digest, index, all) =>
    link(index + 1, digest, all[index - 1] ?? null),
  );

  it('is accepted in every order of arrival', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(chain), (arrivals) => {
        expect(arrive(arrivals)).toEqual(arrivals.map(() => 'fits'));
      }),
    );
  });

  it('lets a forged link in nowhere between two of its own', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 5 }), (sequence) => {
        const others = chain.filter((each) => each.sequence !== sequence);
        const forged = link(sequence, 'forged', chain[sequence - 2]?.digest ?? null);
        expect(arrive([...others, forged]).at(-1)).toBe('conflict');
      }),
    );
  });
});
