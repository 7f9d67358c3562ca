/** What the instrument says about itself in each summary: cumulative counters turned into the window's share. */

import type { ClockState } from '../linux/clock-state.ts';
import type { EngineCounter, ReflectorCounter } from '../probe/health.ts';
import type { Probing, Reflecting } from '../probe/probing.ts';
import type { Summary } from '../protocol/summary.ts';
import type { Counters } from '../ring/counters.ts';
import { PATH_WORD } from '../ring/layout.ts';
import { LogHistogram } from '../stats/histogram.ts';

/** Reads every counter once per window; each reading is the difference to the one before. */
export class Instrument {
  readonly #probing: Probing;
  readonly #engine: Differences<EngineCounter>;
  readonly #reflector: Differences<ReflectorCounter>;
  readonly #lateness = new LogHistogram();
  readonly #latenessBefore: Uint32Array;
  #stragglersBefore = 0;
  #overwrittenBefore = 0;

  /** `before` has read the same counters until now, of another ring. */
  constructor(probing: Probing, reflecting: Reflecting, before?: Instrument) {
    this.#probing = probing;
    this.#engine = before ? before.#engine : new Differences(probing.counters);
    this.#reflector = before ? before.#reflector : new Differences(reflecting.counters);
    this.#latenessBefore = before ? before.#latenessBefore : new Uint32Array(probing.lateness.length);
    if (!before) return;
    this.#stragglersBefore = probing.ring.total(PATH_WORD.stragglers);
    this.#overwrittenBefore = probing.ring.total(PATH_WORD.overwritten);
  }

  /**
   * The window's figures. `txStampsMissing` comes from the paths, whose slots remember where each stamp was taken;
   * `clockState` is the newest one at the window's end, `floor` what the probes of the PoP itself took.
   */
  read(
    txStampsMissing: number,
    clockState: ClockState,
    floor: Summary['instrument']['floor'],
  ): { instrument: Summary['instrument']; clock: Summary['clock'] } {
    const engine = this.#engine.take();
    const reflector = this.#reflector.take();
    const { counters, ring } = this.#probing;
    const stragglers = ring.total(PATH_WORD.stragglers);
    const overwritten = ring.total(PATH_WORD.overwritten);
    const instrument: Summary['instrument'] = {
      ticks: engine.ticks,
      tick_late_p99_ns: this.#latenessP99(),
      tick_late_max_ns: takeMaximum(counters, 'tick_late_max_ns'),
      stalls: engine.stalls,
      stall_max_ns: takeMaximum(counters, 'stall_max_ns'),
      socket_drops: engine.socket_drops,
      suspends: engine.suspends,
      receive_buffer_bytes: smallestBuffer(this.#probing),
      tx_stamps_missing: txStampsMissing,
      replies_refused: withPrefix(engine, 'reply_'),
      icmp_errors_unmatched: engine.icmp_errors_unmatched,
      replies_without_ssid: engine.ssid_missing,
      reply_tlvs_refused: engine.tlvs_refused,
      stragglers: (stragglers - this.#stragglersBefore) >>> 0,
      ring_overwritten: ((overwritten - this.#overwrittenBefore) >>> 0) + engine.slots_skipped,
      reflected: reflector.reflected,
      reflector_dropped: withPrefix(reflector, 'drop_'),
      reflector_stamps_missing: reflector.receive_stamp_missing,
      reflected_too_late: reflector.window_closed,
      reflector_tlvs_malformed: reflector.tlvs_malformed,
      reflector_tlvs_bad_mac: reflector.tlvs_bad_mac,
      floor,
    };
    this.#stragglersBefore = stragglers;
    this.#overwrittenBefore = overwritten;
    const clock = {
      synchronised: clockState.synchronised,
      offset_ns: clockState.offsetNs,
      max_error_ns: clockState.maxErrorNs,
      source: clockState.source,
      steps: engine.clock_steps,
      step_max_ns: takeMaximum(counters, 'clock_step_max_ns'),
    };
    return { instrument, clock };
  }

  #latenessP99(): number {
    this.#lateness.reset();
    const pairs: [number, number][] = [];
    for (const [bucket, count] of this.#probing.lateness.entries()) {
      const added = (count - (this.#latenessBefore[bucket] ?? 0)) >>> 0;
      if (added > 0) pairs.push([bucket, added]);
      this.#latenessBefore[bucket] = count;
    }
    this.#lateness.addPairs(pairs);
    return this.#lateness.percentileNs(0.99) ?? 0;
  }
}

function smallestBuffer({ sockets }: Probing): number | null {
  const known = sockets.flatMap(({ receiveBufferBytes }) => receiveBufferBytes ?? []);
  return known.length === 0 ? null : Math.min(...known);
}

/** What counters have gained since the last look. */
class Differences<Name extends string> {
  readonly #counters: Counters<Name>;
  readonly #before = new Map<Name, number>();

  constructor(counters: Counters<Name>) {
    this.#counters = counters;
  }

  take(): Record<Name, number> {
    const entries = this.#counters.names.map((name): [Name, number] => {
      const now = this.#counters.get(name);
      const gained = now - (this.#before.get(name) ?? 0);
      this.#before.set(name, now);
      return [name, gained];
    });
    return Object.fromEntries(entries) as Record<Name, number>;
  }
}

/** Maxima start afresh in each window; one that falls between reading and clearing shows in the next reading or not at all. */
function takeMaximum(counters: Counters<EngineCounter>, name: EngineCounter): number {
  const value = Math.round(counters.get(name));
  counters.set(name, 0);
  return value;
}

/** The counters that begin with a prefix, without it; zeros are left out. */
function withPrefix(values: Record<string, number>, prefix: string): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([name, value]) => name.startsWith(prefix) && value > 0)
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );
}
