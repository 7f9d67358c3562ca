/** What is known of this host's clock: whether it is synchronised, and to within what. */

/** What is known of CLOCK_REALTIME. Offset and error are null unless the clock is synchronised and its source states them. */
export interface ClockState {
  /** By an external source, to UTC; null when nobody could be asked. */
  synchronised: boolean | null;
  /** How far the clock is believed to be ahead of UTC, ns; negative when it is behind. */
  offsetNs: number | null;
  /** Bound of the clock's error, ns. */
  maxErrorNs: number | null;
  /** Who said so. */
  source: 'adjtimex' | 'chrony' | 'timesyncd' | 'none';
}

/** Nobody could be asked. */
export const UNKNOWN_CLOCK: ClockState = { synchronised: null, offsetNs: null, maxErrorNs: null, source: 'none' };
