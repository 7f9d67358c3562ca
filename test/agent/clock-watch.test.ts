/** The clock watch: the newest state is at hand, and the log has every change once. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClockWatch } from '../../src/agent/clock-watch.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { type ClockState, UNKNOWN_CLOCK } from '../../src/linux/clock-state.ts';
import { recordingLog } from './spool-fixture.ts';

const SYNCHRONISED: ClockState = { synchronised: true, offsetNs: 0, maxErrorNs: 1000, source: 'chrony' };
const ADRIFT: ClockState = { synchronised: false, offsetNs: null, maxErrorNs: null, source: 'chrony' };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A watch over a host that gives these answers in turn, and the last one for ever; an Error is thrown. */
async function watchOf(answers: readonly (ClockState | Error)[]) {
  const { log, lines } = recordingLog();
  let asked = 0;
  const read = async (): Promise<ClockState> => {
    const answer = answers[Math.min(asked, answers.length - 1)];
    asked += 1;
    if (!answer || answer instanceof Error) throw answer ?? new Error('no answer');
    return answer;
  };
  const heard: ClockState[] = [];
  const watch = await ClockWatch.start({ read }, log, (state) => heard.push(state));
  return {
    watch,
    heard,
    asked: () => asked,
    messages: () => lines.map(({ msg }) => msg),
    pass: (turns: number) => vi.advanceTimersByTimeAsync(turns * LIMITS.clockStateEveryMs),
  };
}

describe('the clock watch', () => {
  it('has a state as soon as it is started, and a newer one every 16 s', async () => {
    const { watch, heard, pass } = await watchOf([SYNCHRONISED, { ...SYNCHRONISED, offsetNs: 7 }]);
    expect(watch.state).toEqual(SYNCHRONISED);
    await pass(1);
    expect(watch.state.offsetNs).toBe(7);
    expect(heard).toEqual([SYNCHRONISED, { ...SYNCHRONISED, offsetNs: 7 }]);
    await watch.stop();
  });

  it('logs the first state and every change, and not what stays', async () => {
    const { watch, messages, pass } = await watchOf([SYNCHRONISED, SYNCHRONISED, ADRIFT, ADRIFT, UNKNOWN_CLOCK]);
    await pass(6);
    expect(messages()).toEqual([
      'the clock is synchronised',
      'the clock is not synchronised',
      'nobody on this host says whether the clock is synchronised',
    ]);
    await watch.stop();
  });

  it('knows nothing when the state cannot be read, and goes on asking', async () => {
    const { watch, messages, pass } = await watchOf([SYNCHRONISED, new Error('broken'), SYNCHRONISED]);
    await pass(1);
    expect(watch.state).toEqual(UNKNOWN_CLOCK);
    expect(messages()).toContain('the state of the clock cannot be read');
    await pass(1);
    expect(watch.state).toEqual(SYNCHRONISED);
    await watch.stop();
  });

  it('asks no more once it is stopped', async () => {
    const { watch, asked, pass } = await watchOf([SYNCHRONISED]);
    await watch.stop();
    await pass(3);
    expect(asked()).toBe(1);
  });
});
