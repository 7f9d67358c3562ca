/** What adjtimex says, and what it means. */

import { describe, expect, it } from 'vitest';
import { readKernelClock, stateOfTimex, type Timex } from '../../src/linux/kernel-clock.ts';

const TIME_OK = 0;
const TIME_INS = 1;
const TIME_ERROR = 5;
const STA_PLL = 0x1;
const STA_UNSYNC = 0x40;
const STA_NANO = 0x2000;

/** A kernel disciplined by a daemon that states its errors. */
function timex(overrides: Partial<Timex> = {}): Timex {
  return { state: TIME_OK, status: STA_PLL | STA_NANO, offset: -1500, maxerror: 2000, esterror: 30, ...overrides };
}

const UNSYNCHRONISED = { synchronised: false, offsetNs: null, maxErrorNs: null, source: 'adjtimex' };

describe("the kernel's account of its clock", () => {
  it('has the offset in ns, ahead of UTC positive, and the bound in µs', () => {
    // -1500 ns are to be added: the clock is 1500 ns ahead.
    const state = { synchronised: true, offsetNs: 1500, maxErrorNs: 2_000_000, source: 'adjtimex' };
    expect(stateOfTimex(timex())).toEqual(state);
    expect(stateOfTimex(timex({ state: TIME_INS }))).toEqual(state);
  });

  it('has the offset in µs without STA_NANO', () => {
    expect(stateOfTimex(timex({ status: STA_PLL })).offsetNs).toBe(1_500_000);
  });

  it('has no offset when nobody uses the PLL that keeps it, as under chronyd', () => {
    expect(stateOfTimex(timex({ status: STA_NANO, offset: 0 })).offsetNs).toBeNull();
  });

  it('has an offset of 0, not -0', () => {
    expect(stateOfTimex(timex({ offset: 0 })).offsetNs).toBe(0);
  });

  it('has no bound when the daemon stated no error, as systemd-timesyncd', () => {
    expect(stateOfTimex(timex({ maxerror: 500, esterror: 0 }))).toMatchObject({ synchronised: true, maxErrorNs: null });
  });

  it('is not synchronised on TIME_ERROR or STA_UNSYNC, and then has no figures', () => {
    expect(stateOfTimex(timex({ state: TIME_ERROR }))).toEqual(UNSYNCHRONISED);
    expect(stateOfTimex(timex({ status: STA_PLL | STA_UNSYNC }))).toEqual(UNSYNCHRONISED);
  });

  it.skipIf(process.platform !== 'linux')('is read from this kernel, unless it refuses', () => {
    expect([null, 'adjtimex']).toContain(readKernelClock()?.source ?? null);
  });
});
