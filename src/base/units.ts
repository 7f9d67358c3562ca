/** Units as types: times of different clocks cannot be mixed up without the compiler noticing. */

declare const unit: unique symbol;

/**
 * Nanoseconds on CLOCK_MONOTONIC, as a double. Exact for 104 days of uptime, within 4 ns for a year, which is
 * enough for scheduling. Delays are never computed from it: they come from kernel stamps, kept as `Stamp`s.
 */
export type MonoNs = number & { readonly [unit]: 'mono_ns' };

/** Whole seconds since the Unix epoch, UTC. */
export type UnixS = number & { readonly [unit]: 'unix_s' };

/**
 * An instant of CLOCK_REALTIME in two exact integers: seconds since the Unix epoch (u32) and nanoseconds within the
 * second (0..999 999 999). Two numbers instead of one bigint: reading and writing them allocates nothing.
 */
export interface Stamp {
  seconds: number;
  nanoseconds: number;
}

export const NS_PER_S = 1_000_000_000;
export const NS_PER_MS = 1_000_000;
export const NS_PER_US = 1000;
export const MS_PER_S = 1000;
