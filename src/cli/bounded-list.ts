/** A list of which the first members are kept and all are counted. */

export class BoundedList<Member> {
  readonly listed: Member[] = [];
  readonly #max: number;
  #count = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Of all. */
  get count(): number {
    return this.#count;
  }

  add(...members: readonly Member[]): void {
    for (const member of members) {
      this.#count += 1;
      if (this.listed.length < this.#max) this.listed.push(member);
    }
  }
}
