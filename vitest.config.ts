import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Real sockets, workers and child processes share two cores: more files at once only add noise.
    maxWorkers: 2,
  },
});
