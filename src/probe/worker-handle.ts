/** The main thread's hold on a probing or reflecting thread: start, wait until ready, stop. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { PopprobeError } from '../base/errors.ts';
import { builtFile } from '../base/built-file.ts';

/** Heap of a thread that allocates nothing while it runs; the defaults would reserve ten times as much. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 64 };

/** What a thread tells the main thread. Errors cross as plain data, since classes do not survive the crossing. */
export type WorkerMessage<Ready> =
  | { type: 'ready'; ready: Ready }
  | { type: 'failed'; code: string; message: string; expected: string; found: string; remedy: string };

export class WorkerHandle<Ready> {
  readonly ready: Ready;
  readonly #worker: Worker;
  readonly #control: Int32Array;
  readonly #exited: Promise<unknown>;

  private constructor(worker: Worker, control: Int32Array, exited: Promise<unknown>, ready: Ready) {
    this.#worker = worker;
    this.#control = control;
    this.#exited = exited;
    this.ready = ready;
  }

  /**
   * Starts `dist/probe/<name>.js` with this data (and a control word), and resolves when its sockets are open.
   * Rejects with the thread's own PopprobeError. `onFailure` hears of a thread that dies later.
   */
  static async start<Ready>(
    name: string,
    data: object,
    onFailure: (error: unknown) => void,
  ): Promise<WorkerHandle<Ready>> {
    const control = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(builtFile(import.meta.url, name), {
      name,
      workerData: { ...data, control },
      resourceLimits: RESOURCE_LIMITS,
    });
    const exited = once(worker, 'exit');
    const [message] = (await once(worker, 'message')) as [WorkerMessage<Ready>];
    if (message.type === 'failed') throw revive(message);
    worker.on('error', onFailure);
    return new WorkerHandle(worker, control, exited, message.ready);
  }

  /** Asks the thread to close its sockets and waits until it has ended. */
  async stop(): Promise<void> {
    this.#worker.removeAllListeners('error');
    Atomics.store(this.#control, 0, 1);
    await this.#exited;
  }
}

function revive(failed: Extract<WorkerMessage<never>, { type: 'failed' }>): Error {
  if (failed.expected === '') return new Error(failed.message);
  return new PopprobeError(failed.code as PopprobeError['code'], failed);
}
