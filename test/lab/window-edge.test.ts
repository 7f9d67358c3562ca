/** How many probes can be on their way across a window's edge: at least one a path, more of a fast one, most by chance. */

import { expect, it } from 'vitest';
import { edgeProbes } from '../../src/lab/window-edge.ts';

const paths = (...intervalsMs: number[]) => intervalsMs.map((interval_ms) => ({ interval_ms }));

it('is one of each path, and what a faster path sends within 60 ms', () => {
  expect(edgeProbes([], 'periodic')).toBe(0);
  expect(edgeProbes(paths(1000, 1000, 60), 'periodic')).toBe(3);
  expect(edgeProbes(paths(20), 'periodic')).toBe(3);
  expect(edgeProbes(paths(50, 12.5), 'periodic')).toBe(7);
});

it('is five standard deviations more where chance has the intervals', () => {
  expect(edgeProbes(paths(1000), 'poisson')).toBe(6);
  expect(edgeProbes(paths(...Array<number>(9).fill(100)), 'poisson')).toBe(24);
});
