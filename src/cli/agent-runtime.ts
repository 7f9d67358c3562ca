/** How an agent is started small: what `popprobe start` uses, and docs/configuration.md recommends. */

/**
 * The agent allocates a little once per window and nothing per probe. Node.js is tuned for the opposite: these keep its
 * young generation at 1 MB, its old one close to what is in use, and one helper thread instead of four.
 */
export const AGENT_RUNTIME = {
  nodeFlags: ['--max-semi-space-size=1', '--heap-growing-percent=10', '--v8-pool-size=1'],
  /** One malloc arena instead of one a thread: memory that one thread frees, another can use. */
  environment: { MALLOC_ARENA_MAX: '1' },
};
