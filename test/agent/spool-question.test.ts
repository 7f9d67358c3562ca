/** The questions about documents of the spool: what is understood, and that nothing else is. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSpoolQuestion } from '../../src/agent/spool-question.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { refusalOf } from '../protocol/refusal.ts';

describe('a question about documents of the spool', () => {
  it('names their numbers, and as many of the longest fit as may be asked for', () => {
    const sequences = Array.from({ length: LIMITS.spoolQuestionDocuments }, (_, at) => Number.MAX_SAFE_INTEGER - at);
    const text = JSON.stringify({ sequences });
    expect(readSpoolQuestion(text)).toEqual(sequences);
    expect(text.length).toBeLessThanOrEqual(LIMITS.questionBytesMax);
  });

  it.each([
    ['', /JSON/],
    ['null', /null/],
    ['{}', /no list/],
    ['{"sequences":7}', /no list/],
    ['{"sequences":[0]}', /number 0/],
    ['{"sequences":["7"]}', /number "7"/],
    ['{"sequences":[1.5]}', /number 1.5/],
    ['{"sequences":[7],"all":true}', /the member "all"/],
    [JSON.stringify({ sequences: Array.from({ length: 201 }, () => 1) }), /201 of them/],
  ])('is not %s', async (text, found) => {
    const refusal = await refusalOf(() => readSpoolQuestion(text));
    expect(refusal.code).toBe('malformed');
    expect(refusal.found).toMatch(found);
  });

  it('is understood or malformed, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        expect(() => readSpoolQuestion(text)).toThrow(expect.objectContaining({ code: 'malformed' }));
      }),
    );
  });
});
