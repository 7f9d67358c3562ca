/** Lets documents that come in at the same time share one transaction, and with it one fsync. */

import type { Database, Transaction } from 'better-sqlite3';
import { LIMITS } from '../../base/limits.ts';
import { guarded } from './database.ts';

/** A task that waits for its turn. */
interface Waiting<Task, Result> {
  task: Task;
  octets: number;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/** How a task went within a transaction that is not committed yet. */
type Outcome<Result> = { result: Result } | { error: unknown };

/**
 * Runs tasks on the database, each within a savepoint of its own: one that fails leaves nothing behind and does the others
 * no harm. While a transaction waits for the disk the next tasks come in, so that the slower the disk is, the more of them
 * share a commit.
 */
export class GroupCommit<Task, Result> {
  readonly #waiting: Waiting<Task, Result>[] = [];
  readonly #transaction: Transaction<(group: readonly Waiting<Task, Result>[]) => Outcome<Result>[]>;
  #isScheduled = false;

  constructor(database: Database, run: (task: Task) => Result) {
    // Within a transaction, better-sqlite3 makes a savepoint of another one.
    const alone = database.transaction(run);
    const attempt = (task: Task): Outcome<Result> => {
      try {
        return { result: guarded('the database', () => alone(task)) };
      } catch (error) {
        // SQLite has rolled back everything, as it may when the disk is full: the others are no better off.
        if (!database.inTransaction) throw error;
        return { error };
      }
    };
    this.#transaction = database.transaction((group) => group.map(({ task }) => attempt(task)));
  }

  /**
   * Resolves when what the task has written is on the disk.
   *
   * @param octets about how much the task writes: a transaction keeps the thread busy for as long as that takes
   * @throws what the task throws; PopprobeError `store_unusable` when SQLite refuses. Then nothing of it was written.
   */
  run(task: Task, octets: number): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, octets, resolve, reject });
      this.#schedule();
    });
  }

  /** After everything that has come in by now: whatever is ready then shares the transaction. */
  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#commit(this.#nextGroup());
      this.#schedule();
    });
  }

  #nextGroup(): Waiting<Task, Result>[] {
    let octets = 0;
    const beyond = this.#waiting.findIndex((waiting, index) => {
      octets += waiting.octets;
      return index > 0 && (octets > LIMITS.commitBytesMax || index === LIMITS.commitDocumentsMax);
    });
    return this.#waiting.splice(0, beyond < 0 ? this.#waiting.length : beyond);
  }

  #commit(group: readonly Waiting<Task, Result>[]): void {
    let outcomes: Outcome<Result>[];
    try {
      // Immediate: what is judged is judged under the write lock, so that nothing gets in between judging and storing.
      outcomes = guarded('the database', () => this.#transaction.immediate(group));
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    for (const [index, outcome] of outcomes.entries()) {
      const waiting = group[index];
      if ('result' in outcome) waiting?.resolve(outcome.result);
      else waiting?.reject(outcome.error);
    }
  }
}
