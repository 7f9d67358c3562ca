/** Events that begin, overlap and end, seen by what the directions then do. */

import { describe, expect, test } from 'vitest';
import type { LabEvent, LabScenario } from '../../src/config/lab-scenario.ts';
import { blankFate, DROP } from '../../src/lab/fate.ts';
import { DirectionModel } from '../../src/lab/impairment.ts';
import { Timeline } from '../../src/lab/timeline.ts';
import { behaviour } from './chance.ts';

const MS = 1_000_000;
const S = 1_000_000_000;
const FOREVER = Number.POSITIVE_INFINITY;

/** Places of the directions between three hosts. */
const DIRECTIONS = [
  [0, 1],
  [0, 2],
  [1, 0],
  [1, 2],
  [2, 0],
  [2, 1],
] as const;

/** Three hosts, two members a direction, 10 ms each. */
class Network {
  readonly models: readonly DirectionModel[];
  readonly #timeline: Timeline;
  #sentNs = 0;

  constructor(events: LabEvent[]) {
    const directions = DIRECTIONS.map(([from, to]) => ({ from, to, members: [behaviour(), behaviour()] }));
    const mesh = {} as LabScenario['mesh'];
    const scenario: LabScenario = { name: 'three', seed: 1, mesh, hosts: [], directions, events };
    this.#timeline = new Timeline(scenario);
    this.models = directions.map((direction) => new DirectionModel(direction, scenario.seed));
  }

  at(second: number): number {
    return this.#timeline.advance(second * S, this.models) / S;
  }

  /** Delay of a packet in ms, or -1 when the direction is isolated, -2 when it is lost. */
  delayMs(from: number, to: number, member = 0): number {
    const fate = blankFate();
    // Far enough from the packet before it that none waits for it.
    this.#sentNs += 100 * S;
    const place = DIRECTIONS.findIndex(([a, b]) => a === from && b === to);
    this.models[place]?.decide(this.#sentNs, 100, member * 0x8000_0000, fate);
    if (fate.drop === DROP.isolated) return -1;
    return fate.drop === DROP.loss ? -2 : fate.delayNs / MS;
  }

  /** Of all directions, in their order. */
  delaysMs(): number[] {
    return DIRECTIONS.map(([from, to]) => this.delayMs(from, to));
  }
}

function change(startS: number, endS: number, what: Partial<Extract<LabEvent['what'], { kind: 'change' }>>): LabEvent {
  return { startS, endS, what: { kind: 'change', from: 0, to: 1, member: null, set: {}, delayFactor: 1, ...what } };
}

describe('the timeline', () => {
  test('tells when the next change is due, and applies it then and not before', () => {
    const network = new Network([change(10, 20.5, { delayFactor: 2 }), change(30, FOREVER, { delayFactor: 3 })]);
    expect([network.at(0), network.delayMs(0, 1)]).toEqual([10, 10]);
    expect([network.at(9.999999999), network.delayMs(0, 1)]).toEqual([10, 10]);
    expect([network.at(10), network.delayMs(0, 1)]).toEqual([20.5, 20]);
    expect([network.at(20.4), network.delayMs(0, 1)]).toEqual([20.5, 20]);
    expect([network.at(20.5), network.delayMs(0, 1)]).toEqual([30, 10]);
    expect([network.at(30), network.delayMs(0, 1)]).toEqual([FOREVER, 30]);
    expect([network.at(1e9), network.delayMs(0, 1)]).toEqual([FOREVER, 30]);
  });

  test('has nothing to tell without events, and applies at once what begins with the network', () => {
    expect(new Network([]).at(0)).toBe(FOREVER);
    const network = new Network([change(0, 1, { delayFactor: 2 })]);
    expect([network.at(0), network.delayMs(0, 1)]).toEqual([1, 20]);
  });

  test('catches up when it is asked late: what is over by then has no effect, what is on has', () => {
    const network = new Network([
      change(10, 20, { delayFactor: 2 }),
      change(15, 60, { set: { delayNs: 30 * MS } }),
      change(25, 30, { delayFactor: 5 }),
    ]);
    expect([network.at(40), network.delayMs(0, 1)]).toEqual([60, 30]);
  });

  test('changes the direction it names and no other', () => {
    const network = new Network([change(1, 2, { from: 2, to: 0, delayFactor: 4 })]);
    network.at(1);
    expect(network.delaysMs()).toEqual([10, 10, 10, 10, 40, 10]);
    network.at(2);
    expect(network.delaysMs()).toEqual([10, 10, 10, 10, 10, 10]);
  });

  test('changes one member of a group, or all of them', () => {
    const network = new Network([
      change(1, 3, { member: 1, set: { loss: 1 } }),
      change(2, 3, { set: { delayNs: 20 * MS } }),
    ]);
    network.at(1);
    expect([network.delayMs(0, 1, 0), network.delayMs(0, 1, 1)]).toEqual([10, -2]);
    network.at(2);
    expect([network.delayMs(0, 1, 0), network.delayMs(0, 1, 1)]).toEqual([20, -2]);
  });

  test('isolates a host in both directions', () => {
    const network = new Network([{ startS: 5, endS: 6, what: { kind: 'isolate', host: 1 } }]);
    network.at(5);
    expect(network.delaysMs()).toEqual([-1, 10, -1, -1, 10, -1]);
    network.at(6);
    expect(network.delaysMs()).toEqual([10, 10, 10, 10, 10, 10]);
  });

  test('applies overlapping events in the order of their starts; when one ends, the others stay', () => {
    const network = new Network([
      change(1, 5, { delayFactor: 2 }),
      change(2, 4, { set: { delayNs: 40 * MS } }),
      change(3, 6, { delayFactor: 1.5 }),
      { startS: 4.5, endS: 5.5, what: { kind: 'isolate', host: 0 } },
      { startS: 4.6, endS: 5.6, what: { kind: 'isolate', host: 1 } },
    ]);
    const seen = [1, 2, 3, 4, 4.5, 5, 5.5, 5.6, 6].map((second) => {
      network.at(second);
      return network.delayMs(0, 1);
    });
    expect(seen).toEqual([20, 40, 60, 30, -1, -1, -1, 15, 10]);
  });
});
