/** The instrument turns sick at the first trouble, and well after a while without any. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InstrumentState, type Trouble } from '../../src/agent/instrument-state.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { NS_PER_S } from '../../src/base/units.ts';

const WELL_S = LIMITS.instrumentWellNs / NS_PER_S;

/** What the state turned to in which second, when there was trouble in those that are listed. */
function turns(troubled: Record<number, Trouble[]>, seconds: number): string[] {
  const state = new InstrumentState();
  return Array.from({ length: seconds }, (_, second) => {
    const event = state.judge(troubled[second] ?? [], second * NS_PER_S);
    return event === null ? [] : [`${second} ${event.state} ${event.reasons.join(',')}`.trim()];
  }).flat();
}

describe('the instrument', () => {
  it('without trouble says nothing', () => {
    expect(turns({}, 200)).toEqual([]);
  });

  it('is sick at the first trouble and says of what, and well a while after the last', () => {
    expect(turns({ 3: ['stalls', 'socket_drops'] }, 200)).toEqual(['3 sick stalls,socket_drops', `${3 + WELL_S} well`]);
  });

  it('that is troubled again before it is well stays sick', () => {
    const again = 3 + WELL_S - 1;
    expect(turns({ 3: ['stalls'], [again]: ['suspended'] }, 300)).toEqual(['3 sick stalls', `${again + WELL_S} well`]);
  });

  it('is sick anew after it was well', () => {
    expect(turns({ 0: ['stalls'], 100: ['spool_refuses'] }, 200)).toEqual([
      '0 sick stalls',
      `${WELL_S} well`,
      '100 sick spool_refuses',
      `${100 + WELL_S} well`,
    ]);
  });

  it('turns from one to the other and back, is never well within the time after a trouble, and has reasons when sick', () => {
    const second = fc.subarray<Trouble>(['stalls', 'socket_drops', 'ring_overwritten', 'spool_refuses', 'suspended']);
    const seconds = fc.array(fc.oneof({ weight: 40, arbitrary: fc.constant<Trouble[]>([]) }, second), {
      maxLength: 400,
    });
    fc.assert(
      fc.property(seconds, (troubles) => {
        const state = new InstrumentState();
        let is = 'well';
        let lastTrouble = Number.NEGATIVE_INFINITY;
        for (const [at, reasons] of troubles.entries()) {
          if (reasons.length > 0) lastTrouble = at;
          const event = state.judge(reasons, at * NS_PER_S);
          if (event === null) continue;
          expect(event.state).not.toBe(is);
          expect(event.reasons).toEqual(event.state === 'sick' ? reasons : []);
          const quietS = at - lastTrouble;
          expect(event.state === 'well' ? quietS >= WELL_S : quietS === 0).toBe(true);
          is = event.state;
        }
      }),
    );
  });
});
