/** Which document goes next: what is sealed now at once, and the backlog of an outage beside it. */

import { LIMITS } from '../base/limits.ts';
import type { Spool } from './spool.ts';

/** What the lanes look at of a spool. */
export type Waiting = Pick<Spool, 'waiting' | 'after' | 'bytesOf'>;

/** A document to send, and the lane it goes by. */
export interface Turn {
  sequence: number;
  /** Octets on disk: about what it takes of memory while it is under way. */
  bytes: number;
  isBacklog: boolean;
}

/** What may be under way beside what there is. */
export interface Room {
  /** Documents of the backlog that may be under way, and whether it has to wait, however few they are. */
  width: number;
  isBacklogHeld: boolean;
  /** Nobody knows whether the collector answers at all: one document at a time finds out. */
  isAlone: boolean;
}

/** What is under way: documents of each lane, and their octets. */
interface Load {
  fresh: number;
  backlog: number;
  bytes: number;
}

/**
 * Everything above a mark has been sealed now and goes at once, in order; everything up to it is the backlog, and goes from
 * its oldest document on. The mark rises when what is sealed now does not get through.
 */
export class Lanes {
  /** Null until a document has been seen. */
  #mark: number | null = null;
  readonly #underWay = new Map<number, Turn>();

  /** The next document to send, or null when there is none, or no room for it. */
  next(spool: Waiting, room: Room): Turn | null {
    this.#raiseMark(spool, room);
    const load = this.#load();
    if (room.isAlone && load.fresh + load.backlog > 0) return null;
    return this.#nextFresh(spool, room, load) ?? this.#nextOld(spool, room, load);
  }

  begin(turn: Turn): void {
    this.#underWay.set(turn.sequence, turn);
  }

  end({ sequence }: Turn): void {
    this.#underWay.delete(sequence);
  }

  /** One always has a place of its own, beside any backlog; the others take places of the backlog, before it does. */
  #nextFresh(spool: Waiting, room: Room, load: Load): Turn | null {
    const fresh = this.#firstAfter(spool, this.#mark ?? 0, false);
    if (fresh === null || load.fresh === 0) return fresh;
    return hasPlace(room, load) && fits(fresh, load) ? fresh : null;
  }

  #nextOld(spool: Waiting, room: Room, load: Load): Turn | null {
    if (room.isBacklogHeld || !(room.isAlone || hasPlace(room, load))) return null;
    const old = this.#firstAfter(spool, 0, true);
    if (old === null || old.sequence > (this.#mark ?? 0)) return null;
    return load.backlog === 0 || fits(old, load) ? old : null;
  }

  /** Two documents are no backlog: one that failed, and one that came meanwhile. They go in their order. */
  #raiseMark({ waiting: { count, oldest, newest } }: Waiting, { isBacklogHeld, isAlone }: Room): void {
    if (oldest === null || newest === null) return;
    const first = oldest - 1;
    if (count <= LIMITS.pushInOrderMax) {
      if (!isBacklogHeld) this.#mark = first;
      return;
    }
    if (this.#mark === null || isAlone) this.#mark = newest - 1;
  }

  #load(): Load {
    const load = { fresh: 0, backlog: 0, bytes: 0 };
    for (const { isBacklog, bytes } of this.#underWay.values()) {
      load[isBacklog ? 'backlog' : 'fresh'] += 1;
      load.bytes += bytes;
    }
    return load;
  }

  /** The first document above `sequence` that is not under way. */
  #firstAfter(spool: Waiting, sequence: number, isBacklog: boolean): Turn | null {
    let next = spool.after(sequence);
    while (next !== null && this.#underWay.has(next)) next = spool.after(next);
    return next === null ? null : { sequence: next, bytes: spool.bytesOf(next), isBacklog };
  }
}

function hasPlace({ width }: Room, { fresh, backlog }: Load): boolean {
  return Math.max(0, fresh - 1) + backlog < width;
}

function fits({ bytes }: Turn, load: Load): boolean {
  return load.bytes + bytes <= LIMITS.pushBytesUnderWayMax;
}
