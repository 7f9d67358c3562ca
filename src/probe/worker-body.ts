/** What the bodies of both threads share: report ready or failed, and run turns until told to stop. */

import { parentPort } from 'node:worker_threads';
import { PopprobeError } from '../base/errors.ts';
import type { WorkerMessage } from './worker-handle.ts';

/** Opens what the thread needs and tells the main thread; on failure tells why and returns null. */
export function openOrReport<Opened>(open: () => Opened, ready: (opened: Opened) => unknown): Opened | null {
  try {
    const opened = open();
    tell({ type: 'ready', ready: ready(opened) });
    return opened;
  } catch (error) {
    const parts = error instanceof PopprobeError ? error : { code: '', expected: '', found: '', remedy: '' };
    tell({
      type: 'failed',
      code: parts.code,
      message: String(error),
      expected: parts.expected,
      found: parts.found,
      remedy: parts.remedy,
    });
    return null;
  }
}

/** Runs turns until the control word says stop. The loop never yields to the event loop: nothing else runs here. */
export function runUntilStopped(control: Int32Array, turn: () => void): void {
  // What starting the thread has left behind; from here on nothing is allocated that would have it collected. The first
  // pass empties pages of the heap, the second gives them back. See cli/agent-runtime.ts.
  for (let pass = 0; pass < 2; pass += 1) globalThis.gc?.();
  while (Atomics.load(control, 0) === 0) turn();
}

function tell(message: WorkerMessage<unknown>): void {
  parentPort?.postMessage(message);
}
