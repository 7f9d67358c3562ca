/** Real-time scheduling of a thread: it runs as soon as it has something to do. */

import { Arena } from './arena.ts';
import { LAYOUT, SCHED_FIFO } from './constants.ts';
import { libc } from './libc.ts';

/** The lowest of 1 to 99: above every ordinary thread, below everything that asked for more. */
const PRIORITY = 1;

/**
 * Has the calling thread run before all ordinary ones, and its sleeps end on time (an ordinary thread's are rounded by
 * 50 µs). For a thread that sleeps most of the time.
 *
 * @returns 0, or the errno with which the kernel refuses
 */
export function runInRealTime(): number {
  const parameters = new Arena(LAYOUT.sched_param.size);
  parameters.view.setInt32(LAYOUT.sched_param.sched_priority, PRIORITY, true);
  return libc().sched_setscheduler(0, SCHED_FIFO, parameters.address(0)) === 0 ? 0 : libc().errno();
}
