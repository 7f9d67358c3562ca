/** chronyd's answers to "tracking": captured ones of chrony 4.3 beside what chronyc printed of them, and any octets at all. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClockState } from '../../src/linux/clock-state.ts';
import { decodeTracking, encodeTrackingRequest } from '../../src/linux/chrony-tracking.ts';

const SEQUENCE = 0x01020304;
const HEAD = '0602000000210005000000000000000001020304000000000000000';

/**
 * Reference ID 7F000001, leap status normal, 0.1 s slow of a server that is 0.1 s ahead (`server … offset 0.1`), root delay
 * 0.000019502 s.
 */
const FOLLOWING =
  `${HEAD}07f0000017f0000010000000000000000000000000001000000040000000000006b0723730414f535` +
  'fccccc81dceed506dceed506ff1ff7aefa9e38920cbd3ef5e4a3983aeaaa33e406814487';
/** Reference ID 7F7F0101, stratum 3, leap status normal, root dispersion 0: the directive `local stratum 3`. */
const LOCAL =
  `${HEAD}07f7f0101000000000000000000000000000000000000000000030000000000006b07239b016cd92c` +
  '000000000000000000000000000000000000000000000000000000000000000000000000';
/** No server reached yet: stratum 0, leap status "Not synchronised", root delay 1 s. */
const NOT_YET =
  `${HEAD}000000000000000000000000000000000000000000000000000000003000000000000000000000000` +
  '000000000000000000000000000000000000000000000000048000000480000000000000';

function octetsOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

/** The captured answer with some octets replaced. */
function changed(offset: number, ...octets: number[]): Uint8Array {
  const answer = octetsOf(FOLLOWING);
  answer.set(octets, offset);
  return answer;
}

/** What no clock state may be, or null. */
function contradiction(state: ClockState | null): string | null {
  if (state === null) return null;
  const { synchronised, offsetNs, maxErrorNs } = state;
  const figures = [offsetNs, maxErrorNs].filter((figure) => figure !== null);
  if (!figures.every(Number.isSafeInteger)) return 'figures that are not whole';
  if (synchronised !== true && figures.length > 0) return 'figures of a clock that is not synchronised';
  if (maxErrorNs !== null && maxErrorNs < Math.abs(offsetNs ?? 0)) return 'a bound below the offset';
  return null;
}

describe("chronyd's tracking", () => {
  it('is asked with as many octets as the answer has', () => {
    const request = Buffer.from(encodeTrackingRequest(SEQUENCE)).toString('hex');
    expect(request).toBe(`060100000021000001020304${'00'.repeat(92)}`);
  });

  it('of a chronyd that follows a server tells offset and bound', () => {
    expect(decodeTracking(octetsOf(FOLLOWING), SEQUENCE)).toEqual({
      synchronised: true,
      offsetNs: -99_999_435,
      maxErrorNs: 100_171_505,
      source: 'chrony',
    });
  });

  it.each([
    { name: 'has not reached a server', hex: NOT_YET },
    { name: 'follows its own clock', hex: LOCAL },
  ])('of a chronyd that $name is not synchronised, whatever figures it gives', ({ hex }) => {
    const state = { synchronised: false, offsetNs: null, maxErrorNs: null, source: 'chrony' };
    expect(decodeTracking(octetsOf(hex), SEQUENCE)).toEqual(state);
  });

  it.each([
    { name: 'short', octets: octetsOf(FOLLOWING).subarray(0, 103) },
    { name: 'long', octets: octetsOf(`${FOLLOWING}00`) },
    { name: 'of another version', octets: changed(0, 5) },
    { name: 'a request', octets: changed(1, 1) },
    { name: 'to another command', octets: changed(5, 34) },
    { name: 'of another form', octets: changed(7, 6) },
    { name: 'a failure', octets: changed(9, 1) },
    { name: 'to an earlier request', octets: changed(19, 5) },
    { name: 'with a negative root delay', octets: changed(92, 0xe1) },
    { name: 'with a negative root dispersion', octets: changed(96, 0xe5) },
  ])('that is $name is no answer', ({ octets }) => {
    expect(decodeTracking(octets, SEQUENCE)).toBeNull();
  });

  it('of a clock that is decades off has no offset rather than an inexact one', () => {
    // Exponent 63, coefficient 2^23: 2^61 s.
    expect(decodeTracking(changed(68, 0x7e, 0x80, 0, 0), SEQUENCE)).toMatchObject({ offsetNs: null, maxErrorNs: null });
  });

  it('is a whole state or nothing, whatever the octets', () => {
    const answers = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      // The head of a true answer before anything: most of these are decoded to the end.
      fc.uint8Array({ minLength: 76, maxLength: 76 }).map((rest) => {
        const answer = octetsOf(FOLLOWING);
        answer.set(rest, 28);
        return answer;
      }),
    );
    fc.assert(
      fc.property(answers, (octets) => {
        expect(contradiction(decodeTracking(octets, SEQUENCE))).toBeNull();
      }),
    );
  });
});
