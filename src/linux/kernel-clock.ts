/** The kernel's own account of its clock: adjtimex(2), read-only. */

import { Arena } from './arena.ts';
import type { ClockState } from './clock-state.ts';
import { LAYOUT, STA_NANO, STA_PLL, STA_UNSYNC, TIME_ERROR } from './constants.ts';
import { libc } from './libc.ts';

const NS_PER_US = 1000;

/** What adjtimex gave, in the kernel's own units. */
export interface Timex {
  /** The call's result: the clock's state, TIME_OK to TIME_ERROR. */
  state: number;
  status: number;
  /** Still to be added to the clock, in ns with STA_NANO, else µs. */
  offset: number;
  /** Both µs. */
  maxerror: number;
  esterror: number;
}

/**
 * The kernel's account, or null where it gives none: ProtectClock= of systemd and the default seccomp profiles of
 * containers answer EPERM also when nothing is to be changed.
 */
export function readKernelClock(): ClockState | null {
  const { timex } = LAYOUT;
  // All zeros, so also `modes`: nothing is set.
  const arena = new Arena(timex.size);
  const state = libc().adjtimex(arena.address(0));
  if (state < 0) return null;
  const long = (offset: number): number => Number(arena.view.getBigInt64(offset, true));
  return stateOfTimex({
    state,
    status: arena.view.getInt32(timex.status, true),
    offset: long(timex.offset),
    maxerror: long(timex.maxerror),
    esterror: long(timex.esterror),
  });
}

/** What the kernel's account means. */
export function stateOfTimex({ state, status, offset, maxerror, esterror }: Timex): ClockState {
  const source = 'adjtimex';
  if (state === TIME_ERROR || (status & STA_UNSYNC) !== 0) {
    return { synchronised: false, offsetNs: null, maxErrorNs: null, source };
  }
  // Without the kernel's own PLL, as under chronyd, nobody keeps the offset up to date.
  const isOffsetKept = (status & STA_PLL) !== 0;
  // The kernel lets maxerror grow from what the daemon last said. systemd-timesyncd says 0 for both errors, which is to
  // state none: the 0 to 1 ms read then would be a bound that nobody vouches for.
  const isErrorStated = esterror > 0;
  return {
    synchronised: true,
    offsetNs: isOffsetKept ? 0 - offset * ((status & STA_NANO) !== 0 ? 1 : NS_PER_US) : null,
    maxErrorNs: isErrorStated ? maxerror * NS_PER_US : null,
    source,
  };
}
