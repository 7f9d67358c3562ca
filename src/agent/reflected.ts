/** What this PoP's reflector received and answered of each peer, read out of shared memory into the summary. */

import type { Reflecting } from '../probe/probing.ts';
import type { SummaryReflected } from '../protocol/summary.ts';
import type { SessionName } from './plan-reflector.ts';
import type { Window } from './windows.ts';

export class ReflectedReader {
  readonly #tally: Reflecting['tally'];
  /** Peer and its sessions: name and number in the reflector's plan. */
  readonly #sessions = new Map<string, { name: SessionName; session: number }[]>();

  /** @param names the plan's sessions in its order, null where they are no peer's */
  constructor(reflecting: Reflecting, names: readonly (SessionName | null)[]) {
    this.#tally = reflecting.tally;
    for (const [session, name] of names.entries()) {
      if (!name) continue;
      const own = this.#sessions.get(name.peer);
      if (own) own.push({ name, session });
      else this.#sessions.set(name.peer, [{ name, session }]);
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
    return (this.#sessions.get(peer) ?? []).flatMap(({ name, session }) => {
      const counts = this.#tally.read(session, window.startUnixS);
      return counts ? { class: name.className, family: name.family, flow: name.flow, ...counts } : [];
    });
  }
}
