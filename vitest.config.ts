import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Real sockets, workers and child processes share two cores: more files at once only add noise.
    maxWorkers: 2,
    // Tests that stop processes and fill buffers of a shared machine's kernel may be disturbed by it. Where CI decides, such a
    // test gets a second chance, and the report says that it needed one.
    retry: process.env['CI'] === 'true' ? 1 : 0,
  },
});
