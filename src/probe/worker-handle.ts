/** The main thread's hold on a probing or reflecting thread: start, wait until ready, stop. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { PopprobeError } from '../base/errors.ts';
import { compileEarly } from './early-compilation.ts';

/** Heap of a thread that allocates nothing while it runs; the defaults would reserve ten times as much. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 64 };

/** What the control word tells the thread: to go on, to end, to read a question. */
export const CONTROL = { run: 0, stop: 1, question: 2 } as const;

/** What a thread tells the main thread. Errors cross as plain data, since classes do not survive the crossing. */
export type WorkerMessage<Ready> =
  | { type: 'ready'; ready: Ready }
  | { type: 'failed'; code: string; message: string; expected: string; found: string; remedy: string };

export class WorkerHandle<Ready, Question = never> {
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
   * Starts a thread's built file with this data (and a control word), and resolves when its sockets are open.
   * Rejects with the thread's own PopprobeError. `onFailure` hears of a thread that dies later.
   */
  static async start<Ready, Question = never>(
    file: URL,
    data: object,
    onFailure: (error: unknown) => void,
  ): Promise<WorkerHandle<Ready, Question>> {
    compileEarly();
    const control = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(file, {
      workerData: { ...data, control },
      resourceLimits: RESOURCE_LIMITS,
    });
    const exited = once(worker, 'exit');
    const ready = await nextAnswer<Ready>(worker);
    worker.on('error', onFailure);
    return new WorkerHandle(worker, control, exited, ready);
  }

  /**
   * Asks the thread between two of its turns. One question at a time. Rejects with the thread's own PopprobeError, after
   * which it goes on as before.
   */
  async ask(question: Question): Promise<Ready> {
    const answer = nextAnswer<Ready>(this.#worker);
    this.#worker.postMessage(question);
    Atomics.compareExchange(this.#control, 0, CONTROL.run, CONTROL.question);
    return await answer;
  }

  /** Asks the thread to close its sockets and waits until it has ended. */
  async stop(): Promise<void> {
    this.#worker.removeAllListeners('error');
    Atomics.store(this.#control, 0, CONTROL.stop);
    await this.#exited;
  }
}

async function nextAnswer<Ready>(worker: Worker): Promise<Ready> {
  const [message] = (await once(worker, 'message')) as [WorkerMessage<Ready>];
  if (message.type === 'failed') throw revive(message);
  return message.ready;
}

function revive(failed: Extract<WorkerMessage<never>, { type: 'failed' }>): Error {
  if (failed.expected === '') return new Error(failed.message);
  return new PopprobeError(failed.code as PopprobeError['code'], failed);
}
