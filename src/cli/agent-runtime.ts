/** How an agent is started small: what `popprobe start` uses, and docs/configuration.md recommends. */

/**
 * The agent allocates a little once per window and nothing per probe. Node.js is tuned for the opposite: these keep its
 * young generation at 1 MB, its old one close to what is in use, and one helper thread instead of four; they let the
 * agent collect a window's garbage when it is done with it; and they build each thread's heap from the modules that are
 * used, which is less than Node's snapshot of all that might be. See docs/decisions/0007-a-small-agent.md.
 */
export const AGENT_RUNTIME = {
  nodeFlags: [
    '--max-semi-space-size=1',
    '--heap-growing-percent=10',
    '--optimize-for-size',
    '--v8-pool-size=1',
    '--expose-gc',
    '--no-node-snapshot',
  ],
  /**
   * One malloc arena instead of one a thread: memory that one thread frees, another can use. And a fixed threshold for
   * blocks of their own: left alone, glibc raises it to the largest document it has seen, and keeps such blocks.
   */
  environment: { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' },
};
