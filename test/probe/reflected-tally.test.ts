/** What a reflector counts by window: against a plain map, and as two threads see it. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReflectedTally } from '../../src/probe/reflected-tally.ts';

const WINDOW_S = 60;
const START_S = 1_700_000_040 - (1_700_000_040 % WINDOW_S);

/** Both ends of one tally: the reflecting thread's, and the main thread's. */
function ends(sessions = 1) {
  const reader = new ReflectedTally(sessions, WINDOW_S);
  return { reader, writer: new ReflectedTally(sessions, WINDOW_S, reader.buffer) };
}

describe('a tally', () => {
  it('counts a request by the second of its arrival, and its reply with it', () => {
    const { reader, writer } = ends();
    const cell = writer.countReceived(0, START_S + WINDOW_S - 1);
    writer.countReceived(0, START_S + WINDOW_S);
    // Sent when the next window had begun long since.
    writer.countReplied(cell);
    expect(reader.read(0, START_S)).toEqual({ received: 1, replied: 1 });
    expect(reader.read(0, START_S + WINDOW_S)).toEqual({ received: 1, replied: 0 });
  });

  it('says 0 of a window in which nothing came', () => {
    const { reader, writer } = ends();
    expect(reader.read(0, START_S)).toEqual({ received: 0, replied: 0 });
    writer.countReceived(0, START_S);
    // The same cell, four windows later.
    expect(reader.read(0, START_S + 4 * WINDOW_S)).toEqual({ received: 0, replied: 0 });
  });

  it('is not asked in vain for the three windows before, and says null of what later ones have overwritten', () => {
    const { reader, writer } = ends();
    for (let window = 0; window < 5; window += 1) writer.countReceived(0, START_S + window * WINDOW_S);
    const counts = [0, 1, 2, 3, 4].map((window) => reader.read(0, START_S + window * WINDOW_S));
    const one = { received: 1, replied: 0 };
    expect(counts).toEqual([null, one, one, one, one]);
  });

  it('leaves a window alone once it was closed, and goes back with the clock', () => {
    const { reader, writer } = ends();
    writer.countReceived(0, START_S);
    reader.close(START_S);
    const late = writer.countReceived(0, START_S + 1);
    expect(late).toBe(-1);
    writer.countReplied(late);
    expect(reader.read(0, START_S)).toEqual({ received: 1, replied: 0 });
    expect(writer.countReceived(0, START_S + WINDOW_S)).toBeGreaterThanOrEqual(0);
    reader.close(START_S - 100 * WINDOW_S);
    expect(writer.countReceived(0, START_S - 50 * WINDOW_S)).toBeGreaterThanOrEqual(0);
    expect(reader.read(0, START_S - 50 * WINDOW_S)).toEqual({ received: 1, replied: 0 });
  });

  it('goes on with the sessions of another one, wherever they stand then', () => {
    const { writer } = ends(2);
    const cell = writer.countReceived(1, START_S + WINDOW_S);
    writer.countReplied(cell);
    writer.countReceived(0, START_S + WINDOW_S);
    writer.close(START_S);
    writer.advanceHorizon(START_S + 70);
    const next = new ReflectedTally(3, WINDOW_S);
    next.continue(writer, [1, -1, -1]);
    expect([0, 1, 2].map((session) => next.read(session, START_S + WINDOW_S))).toEqual([
      { received: 1, replied: 1 },
      { received: 0, replied: 0 },
      { received: 0, replied: 0 },
    ]);
    expect(next.horizonS()).toBe(START_S + 70);
    expect(next.countReceived(1, START_S)).toBe(-1);
  });

  it('tells up to where it is complete', () => {
    const { reader, writer } = ends();
    expect(reader.horizonS()).toBe(0);
    writer.advanceHorizon(4_000_000_000);
    expect(reader.horizonS()).toBe(4_000_000_000);
  });

  it('keeps sessions and windows apart, as a plain map does', () => {
    const arrival = fc.record({ session: fc.nat(4), second: fc.nat(WINDOW_S * 4 - 1), replied: fc.boolean() });
    fc.assert(
      fc.property(fc.array(arrival, { maxLength: 200 }), (arrivals) => {
        const { reader, writer } = ends(5);
        const plain = new Map<string, { received: number; replied: number }>();
        for (const { session, second, replied } of arrivals) {
          const cell = writer.countReceived(session, START_S + second);
          if (replied) writer.countReplied(cell);
          const key = `${session} ${Math.floor(second / WINDOW_S)}`;
          const counts = plain.get(key) ?? { received: 0, replied: 0 };
          counts.received += 1;
          counts.replied += replied ? 1 : 0;
          plain.set(key, counts);
        }
        for (let session = 0; session < 5; session += 1) {
          for (let window = 0; window < 4; window += 1) {
            const expected = plain.get(`${session} ${window}`) ?? { received: 0, replied: 0 };
            expect(reader.read(session, START_S + window * WINDOW_S)).toEqual(expected);
          }
        }
      }),
    );
  });

  it('does not share memory that was made for other sessions', () => {
    const { buffer } = new ReflectedTally(3, WINDOW_S);
    expect(() => new ReflectedTally(4, WINDOW_S, buffer)).toThrow(expect.objectContaining({ code: 'ring_mismatch' }));
  });
});
