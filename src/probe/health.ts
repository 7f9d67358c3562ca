/** What the probing and reflecting threads count about themselves, in shared memory. */

import { Counters } from '../ring/counters.ts';

const ENGINE_COUNTERS = [
  'ticks',
  'tick_late_max_ns',
  'stalls',
  'stall_max_ns',
  'slots_skipped',
  'socket_drops',
  'clock_steps',
  'clock_step_max_ns',
  'suspends',
  'icmp_errors_unmatched',
  'reply_short',
  'reply_foreign',
  'reply_corrupt',
  'reply_wrong_source',
  'reply_unknown_session',
  'reply_unknown_probe',
  'reply_bad_mac',
  'ssid_missing',
  'tlvs_refused',
] as const;

const REFLECTOR_COUNTERS = [
  'reflected',
  'drop_unknown_sender',
  'drop_unknown_session',
  'drop_short',
  'drop_too_long',
  'drop_bad_timestamp',
  'drop_bad_mac',
  'drop_rate_limited',
  'drop_not_sent',
  'drop_socket_full',
  'receive_stamp_missing',
  'window_closed',
  'tlvs_malformed',
  'tlvs_bad_mac',
] as const;

export type EngineCounter = (typeof ENGINE_COUNTERS)[number];
export type ReflectorCounter = (typeof REFLECTOR_COUNTERS)[number];

/** Opens the probing thread's counters, or makes them. */
export function engineCounters(buffer?: SharedArrayBuffer): Counters<EngineCounter> {
  return new Counters(ENGINE_COUNTERS, buffer);
}

/** Opens the reflecting thread's counters, or makes them. */
export function reflectorCounters(buffer?: SharedArrayBuffer): Counters<ReflectorCounter> {
  return new Counters(REFLECTOR_COUNTERS, buffer);
}
