/** Pairs turn bad and good by three seconds in a row, judged from a real ring. */

import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { PairState } from '../../src/agent/pair-state.ts';
import { PairWatch } from '../../src/agent/pair-watch.ts';
import { sealDelayNs } from '../../src/agent/windows.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { NS_PER_MS, NS_PER_S } from '../../src/base/units.ts';
import { parseIp } from '../../src/linux/ip-text.ts';
import type { SecondLetter } from '../../src/stats/seconds.ts';
import { FakeClock } from '../probe/fake-clock.ts';
import { pathPlan, RingRig, TMAX_NS } from './ring-rig.ts';

const TICK_NS = 5 * NS_PER_MS;
const REPLY = { rawNs: NS_PER_MS };

/** What the state turned to at each of these seconds. */
function turns(letters: string): string {
  const state = new PairState();
  const marks = { good: 'G', bad: 'B', none: '.' };
  return [...letters].map((letter) => marks[state.judge(letter as SecondLetter) ?? 'none']).join('');
}

describe('a pair', () => {
  it.each([
    ['begins as good and turns bad with the third bad second in a row', 'bbb', '..B'],
    ['turns bad once, however long it stays so', 'bbbbbbbbb', '..B......'],
    ['does not turn bad for two bad seconds, again and again', 'bbgbbgbbgbb', '...........'],
    ['is good again with the third good second in a row', 'bbbggbggg', '..B.....G'],
    ['passes over unknown seconds: they neither extend nor break a row', 'bubuubugugg', '.....B....G'],
    ['that nobody measures stays as it is', 'uuuuuuuu', '........'],
  ])('%s', (_what, letters, expected) => {
    expect(turns(letters)).toBe(expected);
  });

  it('is what the last three known seconds agree on, and else what it was', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom<SecondLetter>('g', 'b', 'u'), { maxLength: 60 }), (letters) => {
        const state = new PairState();
        let is = 'g';
        const known: string[] = [];
        for (const letter of letters) {
          const turned = state.judge(letter);
          if (letter !== 'u') known.push(letter);
          const last = known.slice(-LIMITS.pairTurnSeconds).join('');
          const agreed = last === 'bbb' || last === 'ggg' ? last.charAt(0) : is;
          expect(turned?.[0] ?? null).toBe(agreed === is ? null : agreed);
          is = agreed;
        }
      }),
    );
  });
});

describe('a watch over pairs', () => {
  /** Two peers with two paths each; the second path to lax1 is over IPv6. */
  const PATHS = ['sin1', 'sin1', 'lax1'].map((peer) => pathPlan({ peer, capacity: 64 }));
  PATHS.push(pathPlan({ peer: 'lax1', capacity: 64, address: parseIp('2001:db8::1') }));
  let clock: FakeClock;
  let rig: RingRig;
  let watch: PairWatch;
  let startNs: number;

  beforeEach(() => {
    clock = new FakeClock();
    startNs = clock.monoNs;
    rig = new RingRig(PATHS);
    watch = new PairWatch({ tmaxNs: TMAX_NS, tickNs: TICK_NS, paths: PATHS }, rig.probing.ring, clock);
  });

  /** The moment at which the first `seconds` seconds can be judged. */
  function lookAt(seconds: number, heardSeconds = seconds): string[] {
    const delayNs = sealDelayNs(TMAX_NS, TICK_NS);
    rig.opened(startNs + heardSeconds * NS_PER_S + delayNs);
    const atNs = startNs + seconds * NS_PER_S + delayNs;
    clock.read();
    clock.advance(atNs - clock.monoNs);
    return watch.turn().map(({ peer, state, family }) => `${peer} ${state}${family === 'ipv6' ? ' over ipv6' : ''}`);
  }

  /** One probe on a path in each of these seconds. */
  function fill(path: number, from: number, to: number, arrives: boolean): void {
    for (let second = from; second < to; second += 1) {
      if (arrives) rig.received(path, startNs + second * NS_PER_S, REPLY);
      else rig.sent(path, startNs + second * NS_PER_S);
    }
  }

  it('names the peer whose three seconds were bad, at the first look that can know it, once', () => {
    fill(0, 0, 9, false);
    fill(2, 0, 9, true);
    expect(lookAt(2.99)).toEqual([]);
    expect(lookAt(3)).toEqual(['sin1 bad']);
    expect(lookAt(9)).toEqual([]);
  });

  it('waits while the probing thread is held up, whose sockets may hold the replies', () => {
    fill(0, 0, 9, false);
    expect(lookAt(8, 1)).toEqual([]);
    expect(lookAt(9, 9)).toEqual(['sin1 bad']);
  });

  it('judges over all paths of a peer: half of them lost is good, more is bad', () => {
    fill(0, 0, 6, false);
    fill(1, 0, 3, true);
    expect(lookAt(3)).toEqual([]);
    expect(lookAt(6)).toEqual(['sin1 bad']);
  });

  it('says over which IP version a pair turned bad: the one with more losses', () => {
    fill(2, 0, 3, false);
    fill(3, 0, 3, false);
    fill(3, 0, 3, false);
    expect(lookAt(3)).toEqual(['lax1 bad over ipv6']);
  });

  it('blames no peer for what this host refused or missed', () => {
    for (let second = 0; second < 9; second += 1) {
      rig.refused(0, startNs + second * NS_PER_S, 1);
      rig.missed(1, startNs + second * NS_PER_S);
    }
    expect(lookAt(9)).toEqual([]);
  });

  it('counts a peer that the kernel says is unreachable, or answers too late', () => {
    for (let second = 0; second < 3; second += 1) {
      rig.unreachable(0, startNs + second * NS_PER_S);
      rig.late(2, startNs + second * NS_PER_S);
    }
    expect(lookAt(3)).toEqual(['sin1 bad', 'lax1 bad']);
  });

  it('sees a pair get good again', () => {
    fill(0, 0, 4, false);
    fill(0, 4, 8, true);
    expect(lookAt(6)).toEqual(['sin1 bad']);
    expect(lookAt(7)).toEqual(['sin1 good']);
  });

  it('reads probes that a summary has sealed already', () => {
    fill(0, 0, 3, false);
    rig.probing.ring.seal(0, 3);
    expect(lookAt(3)).toEqual(['sin1 bad']);
  });

  it('of which a look came late judges every second of it', () => {
    fill(0, 0, 3, false);
    fill(0, 3, 6, true);
    fill(2, 0, 6, true);
    expect(lookAt(6)).toEqual(['sin1 bad', 'sin1 good']);
  });

  it('that stood still for longer than the ring holds goes on with what is left', () => {
    fill(0, 0, 500, false);
    expect(lookAt(500)).toEqual(['sin1 bad']);
    fill(0, 500, 503, true);
    expect(lookAt(503)).toEqual(['sin1 good']);
  });

  it('passes over what is too long ago', () => {
    fill(0, 0, 3, false);
    expect(lookAt(3 + LIMITS.pairSecondsLateMax)).toEqual([]);
    fill(0, 70, 73, false);
    expect(lookAt(73)).toEqual(['sin1 bad']);
  });
});
