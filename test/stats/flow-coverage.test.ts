/** The chance that flows reach a given link, against counting every way in which routers may spread them. */

import { describe, expect, it } from 'vitest';
import { chanceOfReaching } from '../../src/stats/flow-coverage.ts';

/** Of all ways to put flows on links, the share in which link 0 has one. */
function counted(flows: number, links: number): number {
  const ways = links ** flows;
  let reaching = 0;
  for (let way = 0; way < ways; way += 1) {
    const links0 = Array.from({ length: flows }, (_, flow) => Math.floor(way / links ** flow) % links);
    if (links0.includes(0)) reaching += 1;
  }
  return reaching / ways;
}

describe('the chance that flows reach a given one of parallel links', () => {
  it.each([
    [1, 1],
    [1, 2],
    [4, 2],
    [2, 4],
    [4, 4],
    [6, 3],
    [5, 8],
  ])('with %i flows and %i links is the share of all ways to spread them', (flows, links) => {
    expect(chanceOfReaching(flows, links)).toBeCloseTo(counted(flows, links), 12);
  });
});
