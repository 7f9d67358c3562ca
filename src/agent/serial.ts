/** Runs asynchronous tasks one after another, in the order they were handed in. */

export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  /** Starts `task` once every earlier one has settled; a task that fails does not stop the next. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task, task);
    this.#last = result;
    return result;
  }
}
