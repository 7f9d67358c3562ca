/** Tells what became of each probe from the packets that the forwarder reads and writes, and books it. */

import { NS_PER_MS, NS_PER_US } from '../base/units.ts';
import { PendingProbes, type ProbeName } from './pending-probes.ts';
import { LOST, type TruthLedger } from './truth-ledger.ts';

/** What has been seen of a probe. */
const SEEN = { request: 0, delivered: 1, reply: 2, answered: 3 } as const;
const KIND_STAMP = 1;

/** Probes whose outcome is open, when nothing else is said: 65,000 a second with a Tmax of 3 s. */
const PROBES_MAX = 2 ** 18;
/** How much later than Tmax a probe is settled: a reply that was in time has been told by then, however busy the thread is. */
const MARGIN_NS = 500 * NS_PER_MS;
/** Probes settled by one call: 0.1 ms. */
const SETTLED_PER_CALL = 1024;

/**
 * A probe is booked as sent when its request is read, and exactly once as answered or lost when it is settled, both in the
 * second of its request. `from` is always the prober. Instants are in ns on one steady clock. Requests and replies that come
 * twice are no second probes; what belongs to no probe that is open has no effect.
 */
export class ProbeMatcher {
  readonly #ledger: TruthLedger;
  readonly #tmaxNs: number;
  readonly #probes: PendingProbes;

  /** `probesMax`: probes sent within Tmax and half a second, at most. */
  constructor(ledger: TruthLedger, tmaxNs: number, probesMax = PROBES_MAX) {
    this.#ledger = ledger;
    this.#tmaxNs = tmaxNs;
    this.#probes = new PendingProbes(probesMax);
  }

  /** Probes that are not settled yet. */
  get open(): number {
    return this.#probes.size;
  }

  /** A request was read from the prober. `second`: the Unix second of that; `lagNs`: how long it had been sent then. */
  request(from: number, to: number, name: ProbeName, arrivedNs: number, second: number, lagNs: number): void {
    if (this.#probes.find(from, to, name) >= 0) return;
    const at = this.#probes.add(from, to, name);
    if (at < 0) {
      this.#ledger.leftUntold();
      return;
    }
    this.#probes.sentNs[at] = arrivedNs;
    this.#probes.second[at] = second;
    this.#probes.lagNs[at] = lagNs;
    this.#probes.state[at] = SEEN.request;
    this.#ledger.probeSent(second, from, to);
  }

  /** The request was written to the far host, undamaged. Of several, the first counts. */
  requestDelivered(from: number, to: number, name: ProbeName, departedNs: number): void {
    const { state, sentNs, delayNs } = this.#probes;
    const at = this.#probes.find(from, to, name);
    if (at < 0 || state[at] !== SEEN.request) return;
    state[at] = SEEN.delivered;
    delayNs[at] = departedNs - (sentNs[at] ?? 0);
  }

  /**
   * A reply was read from the far host, `lagNs` after that had sent it. What answers a damaged request is none: the prober will
   * not take it.
   */
  reply(from: number, to: number, name: ProbeName, lagNs: number): void {
    const { state, lagNs: lags } = this.#probes;
    const at = this.#probes.find(from, to, name);
    if (at < 0 || state[at] !== SEEN.delivered) return;
    state[at] = SEEN.reply;
    lags[at] = (lags[at] ?? 0) + lagNs;
  }

  /**
   * The reply that was read at `arrivedNs` was written to the prober, undamaged. The first one counts, and only within Tmax
   * of the request.
   */
  replyDelivered(from: number, to: number, name: ProbeName, arrivedNs: number, departedNs: number): void {
    const { state, sentNs, delayNs } = this.#probes;
    const at = this.#probes.find(from, to, name);
    if (at < 0 || state[at] !== SEEN.reply) return;
    const roundTripNs = departedNs - (sentNs[at] ?? 0);
    if (roundTripNs > this.#tmaxNs) return;
    state[at] = SEEN.answered;
    const isStamp = this.#probes.kind(at) === KIND_STAMP;
    delayNs[at] = isStamp ? (delayNs[at] ?? 0) + departedNs - arrivedNs : roundTripNs;
  }

  /** Books the outcome of probes that are older than Tmax and half a second, up to 1024 at a call, the oldest first. */
  settle(nowNs: number): void {
    const dueNs = nowNs - this.#tmaxNs - MARGIN_NS;
    for (let settled = 0; settled < SETTLED_PER_CALL && this.#probes.size > 0; settled += 1) {
      const at = this.#probes.first;
      if ((this.#probes.sentNs[at] ?? 0) >= dueNs) return;
      this.#book(at);
      this.#probes.dropFirst();
    }
  }

  #book(at: number): void {
    const second = this.#probes.second[at] ?? 0;
    const from = this.#probes.from(at);
    const to = this.#probes.to(at);
    const delayUs = (this.#probes.delayNs[at] ?? 0) / NS_PER_US;
    const lagUs = (this.#probes.lagNs[at] ?? 0) / NS_PER_US;
    switch (this.#probes.state[at]) {
      case SEEN.request:
        return this.#ledger.probeLost(second, from, to, LOST.forward);
      case SEEN.delivered:
        return this.#ledger.probeLost(second, from, to, LOST.unanswered);
      case SEEN.reply:
        return this.#ledger.probeLost(second, from, to, LOST.reverse);
      default:
        return this.#probes.kind(at) === KIND_STAMP
          ? this.#ledger.stampAnswered(second, from, to, delayUs, lagUs)
          : this.#ledger.icmpAnswered(second, from, to, delayUs, lagUs);
    }
  }
}
