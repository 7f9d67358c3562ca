/** What this PoP's reflector received and answered of each peer, read out of shared memory into the summary. */

import type { Reflecting } from '../probe/probing.ts';
import type { ReflectedCounts } from '../probe/reflected-tally.ts';
import type { SummaryReflected } from '../protocol/summary.ts';
import type { SessionName } from './plan-reflector.ts';
import type { Window } from './windows.ts';

export class ReflectedReader {
  readonly #tally: Reflecting['tally'];
  /** Peer and its sessions: a name, and its numbers in the reflector's plan. Several while its port changes. */
  readonly #sessions = new Map<string, { name: SessionName; numbers: number[] }[]>();

  /** @param names the plan's sessions in its order, null where they are no peer's */
  constructor(reflecting: Reflecting, names: readonly (SessionName | null)[]) {
    this.#tally = reflecting.tally;
    for (const [number, name] of names.entries()) {
      if (!name) continue;
      const own = this.#sessions.get(name.peer) ?? [];
      const same = own.find((session) => isSame(session.name, name));
      if (same) same.numbers.push(number);
      else own.push({ name, numbers: [number] });
      this.#sessions.set(name.peer, own);
    }
  }

  /** Whether all that arrived in the window is counted. */
  isSettled(window: Window): boolean {
    return this.#tally.horizonS() >= window.startUnixS + window.lengthS;
  }

  /** From here on the window's counts stand still; to be called before it is read. */
  close(window: Window): void {
    this.#tally.close(window.startUnixS);
  }

  /** The sessions of a peer, without those whose counts have been overwritten: they were read too late. */
  of(peer: string, window: Window): SummaryReflected[] {
    return (this.#sessions.get(peer) ?? []).flatMap(({ name: { className, family, flow }, numbers }) => {
      const counts = this.#sum(numbers, window);
      return counts ? { class: className, family, flow, ...counts } : [];
    });
  }

  /** Null when one of them was read too late: the sum would be a lie. */
  #sum(numbers: readonly number[], window: Window): ReflectedCounts | null {
    const sum = { received: 0, replied: 0 };
    for (const number of numbers) {
      const counts = this.#tally.read(number, window.startUnixS);
      if (counts === null) return null;
      sum.received += counts.received;
      sum.replied += counts.replied;
    }
    return sum;
  }
}

function isSame(a: SessionName, b: SessionName): boolean {
  return a.className === b.className && a.family === b.family && a.flow === b.flow;
}
