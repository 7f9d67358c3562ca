/** Answers that are dear to make: how many are made, for whom, and when. */

import { describe, expect, it } from 'vitest';
import { SharedAnswer } from '../../src/collector/shared-answer.ts';

/** Answers that say the how manieth they are; each takes `tookMs` of the clock, and ends when it is let. */
function rig(tookMs = 0) {
  const clock = { ms: 0 };
  const begun: (() => void)[] = [];
  const answers = new SharedAnswer(
    async () => {
      const number = begun.length + 1;
      await new Promise<void>((end) => begun.push(end));
      clock.ms += tookMs;
      return number;
    },
    () => clock.ms,
  );
  /** Lets the one that was begun last come to its end, when it has begun. */
  const end = async (count: number): Promise<void> => {
    await expect.poll(() => begun.length).toBe(count);
    begun.at(-1)?.();
  };
  return { clock, answers, begun, end };
}

describe('an answer', () => {
  it('is made once for all who ask before it is begun', async () => {
    const { answers, end } = rig();
    const asked = [answers.give(), answers.give(), answers.give()];
    await end(1);
    expect(await Promise.all(asked)).toEqual([1, 1, 1]);
  });

  it('is not given to who asks while it is made: he gets the next one, which waits for it', async () => {
    const { answers, begun, end } = rig();
    const first = answers.give();
    await expect.poll(() => begun.length).toBe(1);
    const second = [answers.give(), answers.give()];
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(begun).toHaveLength(1);
    await end(1);
    expect(await first).toBe(1);
    await end(2);
    expect(await Promise.all(second)).toEqual([2, 2]);
  });

  it('leaves three times as long to others as it took', async () => {
    const { clock, answers, begun, end } = rig(100);
    const first = answers.give();
    await end(1);
    await first;
    const askedMs = performance.now();
    const second = answers.give();
    await end(2);
    await second;
    expect(performance.now() - askedMs).toBeGreaterThan(290);
    clock.ms += 300;
    const third = answers.give();
    await expect.poll(() => begun.length, { timeout: 250 }).toBe(3);
    await end(3);
    expect(await third).toBe(3);
  });

  it('that fails does so for those who waited for it alone', async () => {
    let made = 0;
    const answers = new SharedAnswer(
      () => (++made === 1 ? Promise.reject(new Error('no disk')) : Promise.resolve(made)),
      () => 0,
    );
    const [one, two] = await Promise.allSettled([answers.give(), answers.give()]);
    expect([one.status, two.status]).toEqual(['rejected', 'rejected']);
    expect(await answers.give()).toBe(2);
  });
});
