/** What one direction between two hosts does to the packets that take it. */

import type { LabDirection, LinkBehaviour } from '../config/lab-scenario.ts';
import type { Fate } from './fate.ts';
import { memberOf } from './flow-hash.ts';
import { MemberModel } from './member-model.ts';
import { Random } from './random.ts';

/**
 * Decides the fates of packets in the order in which they come; allocates nothing while doing so. Each member has chance of
 * its own, from the seed, the direction and its number: the same packets in the same order have the same fates, whatever
 * other members and directions do.
 */
export class DirectionModel {
  readonly #members: readonly MemberModel[];
  #isIsolated = false;

  /** Begins with the direction's own behaviour. `seed` is the scenario's. @throws RangeError without any member. */
  constructor(direction: LabDirection, seed: number) {
    const { from, to, members } = direction;
    if (members.length === 0) throw new RangeError('one member at least expected, found none');
    this.#members = members.map((behaviour, member) => new MemberModel(behaviour, new Random(seed, from, to, member)));
  }

  /**
   * Behaviour from now on, by member; chains, queues and the order of packets go on from where they are.
   * @throws RangeError when there are not as many as the direction has.
   */
  setBehaviour(members: readonly LinkBehaviour[], isolated: boolean): void {
    const expected = this.#members.length;
    if (members.length !== expected) throw new RangeError(`${expected} members expected, found ${members.length}`);
    for (const [member, behaviour] of members.entries()) this.#members[member]?.setBehaviour(behaviour);
    this.#isIsolated = isolated;
  }

  /**
   * Fills `fate` for the next packet. `arrivedNs` never lies before that of the one before it; `ipBytes` is the whole IP
   * packet; `flowHash` is that of `flow-hash.ts` and chooses the member.
   */
  decide(arrivedNs: number, ipBytes: number, flowHash: number, fate: Fate): void {
    fate.member = memberOf(flowHash, this.#members.length);
    this.#members[fate.member]?.decide(arrivedNs, ipBytes, this.#isIsolated, fate);
  }
}
