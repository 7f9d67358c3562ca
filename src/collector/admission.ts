/** Decides which documents the collector takes on now, and which have to come again: it promises no more than it can keep. */

import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { BodyRoom } from './body.ts';

/** A document that has come in: how large it is as sent, and whether it may wait behind those that are sealed now. */
export interface Load {
  octets: number;
  isBacklog: boolean;
}

/** A thousand PoPs that catch up are refused a thousand times a second: a line a minute tells as much. */
const BUSY_LOG_EVERY_MS = 60_000;

interface Waiting extends Load {
  sinceMs: number;
  begin: () => void;
}

/**
 * A queue before the work on documents. What has just been sealed goes before any backlog, and a backlog may fill a part of
 * the queue only: however many PoPs catch up at one time, what is sealed now gets in.
 */
export class Admission {
  readonly #monotonicMs: () => number;
  readonly #urgent: Waiting[] = [];
  readonly #backlog: Waiting[] = [];
  #working = 0;
  #octets = 0;
  #receivedOctets = 0;
  #busyAtMs = Number.NEGATIVE_INFINITY;

  /** @param monotonicMs monotonic clock, ms */
  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Whether this refusal is the first for a while, and worth a line in the log. */
  isNewlyBusy(): boolean {
    const nowMs = this.#monotonicMs();
    const isNew = nowMs - this.#busyAtMs > BUSY_LOG_EVERY_MS;
    if (isNew) this.#busyAtMs = nowMs;
    return isNew;
  }

  /**
   * Returns when a document would be taken on. To be asked before its body is read, too: what is refused costs no more then.
   *
   * @throws PopprobeError `busy` when too many documents wait, too large ones, or for too long
   */
  mustHaveRoom(isBacklog: boolean): void {
    const documents = this.#working + this.#urgent.length + this.#backlog.length;
    const documentsMax = isBacklog ? LIMITS.ingestBacklogMax : LIMITS.ingestDocumentsMax;
    if (documents >= documentsMax) throw busy(`fewer than ${documentsMax} documents under way`, String(documents));
    if (this.#octets >= LIMITS.ingestBytesMax) {
      throw busy(`documents of less than ${LIMITS.ingestBytesMax} octets under way`, String(this.#octets));
    }
    const sinceMs = Math.min(sinceOf(this.#urgent), isBacklog ? sinceOf(this.#backlog) : Infinity);
    const waitMs = this.#monotonicMs() - sinceMs;
    if (waitMs > LIMITS.ingestWaitMsMax) {
      throw busy(`documents to wait for no longer than ${LIMITS.ingestWaitMsMax} ms`, `${Math.round(waitMs)} ms`);
    }
  }

  /**
   * Has a body read, with room for it as it comes: until it is there, its sender costs memory and has been verified by
   * nobody. The room says `busy` when there is none.
   */
  async receive<T>(read: (room: BodyRoom) => Promise<T>): Promise<T> {
    let taken = 0;
    const release = (): void => {
      this.#receivedOctets -= taken;
      taken = 0;
    };
    const take: BodyRoom['take'] = (octets) => {
      if (this.#receivedOctets + octets > LIMITS.receivedBytesMax) {
        release();
        return busy(`at most ${LIMITS.receivedBytesMax} octets to be received at a time`, 'more');
      }
      taken += octets;
      this.#receivedOctets += octets;
      return null;
    };
    try {
      return await read({ take });
    } finally {
      release();
    }
  }

  /**
   * Does the work on a document when it is its turn.
   *
   * @throws what the work throws; PopprobeError `busy` as `mustHaveRoom`
   */
  async run<T>(load: Load, work: () => Promise<T>): Promise<T> {
    this.mustHaveRoom(load.isBacklog);
    this.#octets += load.octets;
    try {
      await this.#turn(load);
      try {
        return await work();
      } finally {
        this.#working -= 1;
        this.#beginNext();
      }
    } finally {
      this.#octets -= load.octets;
    }
  }

  async #turn(load: Load): Promise<void> {
    await new Promise<void>((begin) => {
      const queue = load.isBacklog ? this.#backlog : this.#urgent;
      queue.push({ ...load, sinceMs: this.#monotonicMs(), begin });
      this.#beginNext();
    });
  }

  #beginNext(): void {
    if (this.#working >= LIMITS.ingestAtOnceMax) return;
    const next = this.#urgent.shift() ?? this.#backlog.shift();
    if (next === undefined) return;
    this.#working += 1;
    next.begin();
  }
}

/** Since when the first of a queue waits. */
function sinceOf(queue: readonly Waiting[]): number {
  return queue[0]?.sinceMs ?? Infinity;
}

function busy(expected: string, found: string): PopprobeError {
  const remedy = 'send it again later; if it stays so, the collector needs a faster machine or disk';
  return new PopprobeError('busy', { expected, found, remedy });
}
