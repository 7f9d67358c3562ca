/** The question for a trace: what is understood, and that nothing else is. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTraceQuestion } from '../../src/agent/trace-question.ts';
import { refusalOf } from '../protocol/refusal.ts';

describe('a question for a trace', () => {
  it('names a peer, and an IP version if it matters', () => {
    expect(readTraceQuestion('{"peer":"sin1"}')).toEqual({ peer: 'sin1', family: null });
    expect(readTraceQuestion('{"family":"ipv6","peer":"sin1"}')).toEqual({ peer: 'sin1', family: 'ipv6' });
  });

  it.each([
    ['', /JSON/],
    ['{"peer":', /JSON/],
    ['null', /null/],
    ['"sin1"', /"sin1"/],
    ['{}', /no peer/],
    ['[]', /no peer/],
    ['{"peer":1}', /no peer/],
    ['{"peer":"sin1","family":"ipv5"}', /family "ipv5"/],
    ['{"peer":"sin1","hops":99}', /the member "hops"/],
  ])('is not %s', async (text, found) => {
    const refusal = await refusalOf(() => readTraceQuestion(text));
    expect(refusal.code).toBe('malformed');
    expect(refusal.found).toMatch(found);
  });

  it('is understood or malformed, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        expect(() => readTraceQuestion(text)).toThrow(expect.objectContaining({ code: 'malformed' }));
      }),
    );
  });
});
