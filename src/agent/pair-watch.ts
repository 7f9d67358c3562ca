/** Judges every pair each second, from the ring: which have turned bad, and which are good again. */

import { type Clock, unixMsAt } from '../base/clock.ts';
import { familyOf, type IpFamily } from '../base/ip-address.ts';
import { LIMITS } from '../base/limits.ts';
import { NS_PER_S } from '../base/units.ts';
import type { ProbePlan } from '../probe/plan.ts';
import type { RingReader } from '../ring/reader.ts';
import { letterOf } from '../stats/seconds.ts';
import { PairState } from './pair-state.ts';
import { groupByPeer } from './summarize.ts';
import { sealDelayNs } from './windows.ts';

export interface PairChange {
  peer: string;
  state: 'good' | 'bad';
  /** Over which most probes were lost in the second that decided. */
  family: IpFamily;
  /** End of that second, ms since the Unix epoch by CLOCK_REALTIME. */
  atUnixMs: number;
}

/** A peer, the numbers of its paths, and what it was judged so far. */
interface Pair {
  readonly peer: string;
  readonly paths: readonly number[];
  readonly state: PairState;
}

export class PairWatch {
  readonly #tmaxNs: number;
  readonly #families: readonly IpFamily[];
  readonly #ring: RingReader;
  readonly #clock: Clock;
  readonly #pairs: readonly Pair[];
  readonly #delayNs: number;
  /** Each path's next probe. The ring's own mark is the summary's, and moves window by window. */
  readonly #next: Uint32Array;
  /** End of the last judged second, ns on CLOCK_MONOTONIC. */
  #judgedNs: number;
  /** Up to when the probing thread has heard everything, ns on CLOCK_MONOTONIC. */
  #heardNs = 0;
  /** Of the pair and second that is being judged. */
  #received = 0;
  readonly #lost: Record<IpFamily, number> = { ipv4: 0, ipv6: 0 };

  /** `before` judged the pairs until now; `kept` has for each path the number that it had there, or -1. */
  constructor(
    plan: Pick<ProbePlan, 'paths' | 'tmaxNs' | 'tickNs'>,
    ring: RingReader,
    clock: Clock,
    before?: { pairs: PairWatch; kept: readonly number[] },
  ) {
    this.#tmaxNs = plan.tmaxNs;
    this.#families = plan.paths.map((path) => familyOf(path.address));
    this.#ring = ring;
    this.#clock = clock;
    const known = before ? before.pairs.#pairs : [];
    this.#pairs = [...groupByPeer(plan.paths)].map(([peer, paths]) => {
      const state = known.find((pair) => pair.peer === peer)?.state ?? new PairState();
      return { peer, paths, state };
    });
    this.#delayNs = sealDelayNs(plan.tmaxNs, plan.tickNs);
    this.#next = new Uint32Array(plan.paths.length);
    clock.read();
    this.#judgedNs = before ? before.pairs.#judgedNs : clock.monoNs;
    if (before) for (const [path, old] of before.kept.entries()) this.#next[path] = before.pairs.#next[old] ?? 0;
  }

  /** Judges every second that is over and whose probes all have their outcome. Called each second. */
  turn(): PairChange[] {
    this.#clock.read();
    // While the probing thread is held up, replies may wait in its sockets: what it has not heard yet is no silence.
    this.#heardNs = Math.min(this.#clock.monoNs, this.#ring.horizonNs());
    const changes: PairChange[] = [];
    const readyNs = this.#heardNs - this.#delayNs;
    const overdue = Math.floor((readyNs - this.#judgedNs) / NS_PER_S) - LIMITS.pairSecondsLateMax;
    if (overdue > 0) this.#judgedNs += overdue * NS_PER_S;
    for (let endNs = this.#judgedNs + NS_PER_S; endNs <= readyNs; endNs += NS_PER_S) {
      for (const { peer, paths, state } of this.#pairs) {
        this.#count(paths, this.#judgedNs, endNs);
        const { ipv4, ipv6 } = this.#lost;
        const turned = state.judge(letterOf(this.#received, ipv4 + ipv6));
        if (turned === null) continue;
        const family = ipv6 > ipv4 ? 'ipv6' : 'ipv4';
        changes.push({ peer, state: turned, family, atUnixMs: unixMsAt(this.#clock, endNs) });
      }
      this.#judgedNs = endNs;
    }
    return changes;
  }

  /** Counts the probes of a pair that fell due in [startNs, endNs); those before were skipped and are passed over. */
  #count(paths: readonly number[], startNs: number, endNs: number): void {
    const { dueNs } = this.#ring.views;
    this.#received = 0;
    this.#lost.ipv4 = 0;
    this.#lost.ipv6 = 0;
    for (const path of paths) {
      const head = this.#ring.head(path);
      let sequence = this.#ring.held(path, this.#next[path] ?? 0);
      for (; sequence !== head; sequence = (sequence + 1) >>> 0) {
        const slot = this.#ring.slotOf(path, sequence);
        const due = dueNs[slot] ?? 0;
        if (due >= endNs) break;
        if (due >= startNs) this.#countSlot(slot, this.#heardNs - due, this.#families[path] ?? 'ipv4');
      }
      this.#next[path] = sequence;
    }
  }

  #countSlot(slot: number, ageNs: number, family: IpFamily): void {
    const outcome = this.#ring.outcome(slot, ageNs, this.#tmaxNs);
    if (outcome === 'received') this.#received += 1;
    else if (outcome === 'lost') this.#lost[family] += 1;
  }
}
