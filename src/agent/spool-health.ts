/** Whether the spool's disk does what it is asked: said once when it stops, and once when it goes on. */

import type { Logger } from 'pino';
import { onDisk } from './disk-error.ts';

/** What is asked of the disk: to find the folder, add a document, read one, let one go, and remember the chain and its gaps. */
export type DiskTask = 'find' | 'add' | 'read' | 'remove' | 'remember';

export interface Degraded {
  /** In words, with the errno. */
  reason: string;
  /** Wall clock, ms since the Unix epoch. */
  sinceMs: number;
}

export class SpoolHealth {
  readonly #log: Logger;
  readonly #nowMs: () => number;
  /** By task, in the order in which they began to fail: one that works says nothing of another. */
  readonly #failing = new Map<DiskTask, Degraded>();

  constructor(log: Logger, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  /** What has been failing for the longest, or null when all is well. */
  get degraded(): Degraded | null {
    const [first] = this.#failing.values();
    return first ?? null;
  }

  /** Runs a step. @throws PopprobeError `spool_unusable` with the errno name, when the disk refuses */
  async watch<T>(task: DiskTask, doing: string, step: () => T | Promise<T>): Promise<T> {
    try {
      const result = await onDisk(doing, step);
      this.#worked(task);
      return result;
    } catch (error) {
      this.#failed(task, error);
      throw error;
    }
  }

  #failed(task: DiskTask, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const before = this.#failing.get(task);
    if (this.#failing.size === 0) this.#log.error({ err: error }, 'the spool is degraded: its disk refuses');
    this.#failing.set(task, { reason, sinceMs: before?.sinceMs ?? this.#nowMs() });
  }

  #worked(task: DiskTask): void {
    if (!this.#failing.delete(task)) return;
    if (this.#failing.size === 0) this.#log.info('the spool is well again: its disk does what it is asked');
  }
}
