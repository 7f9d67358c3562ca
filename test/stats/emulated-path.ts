/** A path with known truth for tests: probes run to a stateful reflector and back, and it is known where each was lost. */

import fc from 'fast-check';
import type { DirectionalLoss } from '../../src/stats/directional-loss.ts';

/** What befalls one probe. */
export interface Fate {
  /** `void`: the sender cannot tell what became of it. */
  end: 'received' | 'lostForward' | 'lostReverse' | 'void';
  /** Copies beyond the first that arrive at the reflector. */
  copies: number;
  /** Arrives after this many of the probes sent later. */
  overtakenBy: number;
  /** The reflector begins to count anew before the probe arrives. */
  restart: boolean;
}

/** One probe as its sender sees it. */
export interface Seen {
  outcome: 'received' | 'lost' | 'void';
  /** The reflector's number; of received probes only. */
  sequence: number;
  /** Where it was lost in truth. */
  truth: 'forward' | 'reverse' | null;
}

const U32 = 2 ** 32;

/** Sends probes of these fates in order; the reflector's first number is `first`, after a restart 0. */
export function emulate(fates: readonly Fate[], first = 0): Seen[] {
  let next = first;
  const sequences = new Map<number, number>();
  const arrivals = fates
    .map((fate, index) => ({ fate, index, at: index + fate.overtakenBy + (fate.overtakenBy > 0 ? 0.5 : 0) }))
    .filter(({ fate }) => fate.end !== 'lostForward')
    .sort((a, b) => a.at - b.at);
  for (const { fate, index } of arrivals) {
    if (fate.restart) next = 0;
    sequences.set(index, next);
    next = (next + 1 + fate.copies) % U32;
  }
  return fates.map(({ end }, index) => {
    if (end === 'received') return { outcome: 'received', sequence: sequences.get(index) ?? Number.NaN, truth: null };
    if (end === 'void') return { outcome: 'void', sequence: Number.NaN, truth: null };
    return { outcome: 'lost', sequence: Number.NaN, truth: end === 'lostForward' ? 'forward' : 'reverse' };
  });
}

/** Tells the state what the sender sees. */
export function feed(state: DirectionalLoss, seen: readonly Seen[]): void {
  for (const { outcome, sequence } of seen) {
    if (outcome === 'received') state.addReceived(sequence);
    else if (outcome === 'lost') state.addLost();
    else state.addVoid();
  }
}

const end = fc.oneof(
  { weight: 6, arbitrary: fc.constant('received' as const) },
  { weight: 2, arbitrary: fc.constantFrom('lostForward' as const, 'lostReverse' as const) },
);

/** Probes that are received or lost, and nothing else happens. */
export const orderlyFates = fc.array(
  end.map((outcome): Fate => ({ end: outcome, copies: 0, overtakenBy: 0, restart: false })),
  { maxLength: 300, size: 'max' },
);

const rarely = <T>(usual: T, rare: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: rare });

/** Probes to which anything may happen. */
export const anyFates = fc.array(
  fc.record<Fate>({
    end: rarely<Fate['end']>('received', fc.constantFrom('lostForward', 'lostReverse', 'void')),
    copies: rarely(0, fc.integer({ min: 1, max: 3 })),
    overtakenBy: rarely(0, fc.integer({ min: 1, max: 5 })),
    restart: rarely(false, fc.boolean()),
  }),
  { maxLength: 300, size: 'max' },
);

/** Probes that are received or lost, some overtaken by probes that are received: each overtaking shows in the replies. */
export const overtakenFates = fc
  .array(fc.record({ end, overtakenBy: fc.integer({ min: 0, max: 5 }) }), { maxLength: 100, size: 'max' })
  .map((fates) => {
    let free = 0;
    return fates.map((fate, index): Fate => {
      const last = fates[index + fate.overtakenBy];
      const shows = index >= free && fate.end === 'received' && last?.end === 'received';
      if (shows) free = index + fate.overtakenBy + 1;
      return { end: fate.end, copies: 0, overtakenBy: shows ? fate.overtakenBy : 0, restart: false };
    });
  });
