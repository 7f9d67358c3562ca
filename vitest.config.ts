import { configDefaults, defineConfig } from 'vitest/config';

/**
 * Labs verify delays to half a millisecond, with six programs on two cores: they have the machine for themselves. So have
 * tests that take all of it: others measure time beside them.
 */
const ALONE = [
  'test/e2e/lab*.test.ts',
  'test/e2e/start.test.ts',
  'test/e2e/kills.test.ts',
  'test/e2e/day-away.test.ts',
];

const shared = {
  testTimeout: 30_000,
  hookTimeout: 60_000,
  // Tests that stop processes and fill buffers of a shared machine's kernel may be disturbed by it. Where CI decides, such a
  // test gets a second chance, and the report says that it needed one.
  retry: process.env['CI'] === 'true' ? 1 : 0,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'all but labs',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...ALONE],
          // Real sockets, workers and child processes share two cores: more files at once only add noise.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...shared, name: 'labs', include: ALONE, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
