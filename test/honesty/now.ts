/** CLOCK_MONOTONIC, which all processes share. */

/** Nanoseconds. */
export function nowNs(): number {
  return Number(process.hrtime.bigint());
}
