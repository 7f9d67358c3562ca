/** Looks each second for what becomes a record: a clock that jumped, an instrument in trouble, pairs that turned. */

import type { Logger } from 'pino';
import { type Clock, unixMsAt } from '../base/clock.ts';
import { PopprobeError } from '../base/errors.ts';
import { ClockSteps } from './clock-steps.ts';
import type { HeldCourse } from './course.ts';
import type { DocumentQueue } from './document-queue.ts';
import { InstrumentState } from './instrument-state.ts';
import type { PairChange } from './pair-watch.ts';
import type { Sealing } from './sealing.ts';
import type { SpoolStatus } from './spool-status.ts';
import type { Traces } from './traces.ts';
import { TroubleWatch } from './trouble-watch.ts';

export interface EventsParts {
  clock: Clock;
  held: HeldCourse;
  documents: Pick<DocumentQueue, 'addEvent' | 'isRefusing'>;
  spool: { status(): Pick<SpoolStatus, 'degraded'> };
  sealing: Pick<Sealing, 'readUntilNs'>;
  traces: Pick<Traces, 'pairBad' | 'pairGood'>;
  log: Logger;
}

export class Events {
  readonly #parts: EventsParts;
  readonly #clockSteps: ClockSteps;
  readonly #troubles: TroubleWatch;
  readonly #instrument = new InstrumentState();

  constructor(parts: EventsParts) {
    this.#parts = parts;
    this.#clockSteps = new ClockSteps(parts.clock);
    this.#troubles = new TroubleWatch(parts.held.course);
  }

  /** Steps of the clock that became no record: too many in one window. Each window counts them all. */
  get clockStepsUntold(): number {
    return this.#clockSteps.untold;
  }

  /** Called each second. */
  turn(): void {
    this.#lookAtClock();
    this.#lookAtInstrument();
    for (const change of this.#parts.held.course.pairs.turn()) this.#pairTurned(change);
  }

  #lookAtClock(): void {
    const { documents, sealing, log } = this.#parts;
    const step = this.#clockSteps.turn(sealing.readUntilNs);
    if (step === null) return;
    log.warn({ step_ns: step.stepNs }, 'the clock was stepped');
    documents.addEvent({ kind: 'clock_step', step_ns: step.stepNs }, step.atUnixMs);
  }

  #lookAtInstrument(): void {
    const { clock, held, documents, spool, log } = this.#parts;
    const isRefusing = documents.isRefusing || spool.status().degraded !== null;
    const troubles = this.#troubles.turn(held.course, isRefusing);
    clock.read();
    const event = this.#instrument.judge(troubles, clock.monoNs);
    if (event === null) return;
    if (event.state === 'sick') log.warn({ reasons: event.reasons }, 'the instrument is in trouble');
    else log.info('the instrument is well again');
    documents.addEvent(event, unixMsAt(clock, clock.monoNs));
  }

  #pairTurned({ peer, state, family, atUnixMs }: PairChange): void {
    const { documents, traces, log } = this.#parts;
    documents.addEvent({ kind: 'pair', peer, state, family }, atUnixMs);
    if (state === 'good') {
      log.info({ peer }, 'the pair is good again');
      traces.pairGood(peer);
      return;
    }
    log.warn({ peer, family }, 'the pair has turned bad');
    try {
      traces.pairBad(peer, family);
    } catch (error) {
      if (!(error instanceof PopprobeError)) throw error;
      log.info({ peer, reason: error.message }, 'no path trace now');
    }
  }
}
