/** Lets the scenario's events begin and end: tells the directions how they behave from now on. */

import type { LabEvent, LabScenario } from '../config/lab-scenario.ts';
import { NS_PER_S } from '../base/units.ts';
import { concerns, effectiveMembers } from './effective-behaviour.ts';
import type { DirectionModel } from './impairment.ts';

/** An event from its start on and before its end, in ns since the network came up. */
interface Span {
  readonly startNs: number;
  readonly endNs: number;
  readonly what: LabEvent['what'];
  /** Places in `scenario.directions`, ascending. */
  readonly directions: readonly number[];
}

/** Overlapping events apply in the order of the scenario, which is that of their starts; when one ends, the others stay. */
export class Timeline {
  readonly #directions: LabScenario['directions'];
  readonly #spans: readonly Span[];
  /** Instants at which anything begins or ends, ascending. */
  readonly #changesNs: readonly number[];
  #next = 0;

  constructor(scenario: LabScenario) {
    this.#directions = scenario.directions;
    this.#spans = scenario.events.map((event) => spanOf(event, scenario));
    const changesNs = new Set(this.#spans.flatMap(({ startNs, endNs }) => [startNs, endNs]));
    this.#changesNs = [...changesNs].filter(Number.isFinite).sort((a, b) => a - b);
  }

  /**
   * Applies all that has begun or ended up to now, ns since the network came up, to the models, which stand in the order of
   * `scenario.directions`. Returns when the next change is due in the same count, Infinity when there is none.
   */
  advance(elapsedNs: number, models: readonly DirectionModel[]): number {
    const doneNs = this.#changesNs[this.#next - 1] ?? Number.NEGATIVE_INFINITY;
    while ((this.#changesNs[this.#next] ?? Number.POSITIVE_INFINITY) <= elapsedNs) this.#next += 1;
    const dueNs = this.#changesNs[this.#next - 1] ?? Number.NEGATIVE_INFINITY;
    if (dueNs > doneNs) {
      const isNew = (atNs: number): boolean => atNs > doneNs && atNs <= dueNs;
      const changed = this.#spans.filter(({ startNs, endNs }) => isNew(startNs) || isNew(endNs));
      for (const at of new Set(changed.flatMap(({ directions }) => directions))) this.#apply(at, dueNs, models[at]);
    }
    return this.#changesNs[this.#next] ?? Number.POSITIVE_INFINITY;
  }

  #apply(at: number, nowNs: number, model: DirectionModel | undefined): void {
    const direction = this.#directions[at];
    if (!direction) return;
    const active = this.#spans
      .filter(({ startNs, endNs, directions }) => startNs <= nowNs && nowNs < endNs && directions.includes(at))
      .map(({ what }) => what);
    const changes = active.filter((what) => what.kind === 'change');
    model?.setBehaviour(effectiveMembers(direction, changes), changes.length < active.length);
  }
}

function spanOf(event: LabEvent, { directions }: LabScenario): Span {
  return {
    startNs: Math.round(event.startS * NS_PER_S),
    endNs: Math.round(event.endS * NS_PER_S),
    what: event.what,
    directions: [...directions.keys()].filter((at) => {
      const direction = directions[at];
      return direction !== undefined && concerns(event, direction);
    }),
  };
}
