/** Counts what must not happen, and shows the first cases with the octets that led to it. */

const SHOWN_MAX = 5;

export class Violations {
  count = 0;
  /** The first few as text, for whoever has to find the bug. */
  readonly shown: string[] = [];

  add(what: string, packet: Uint8Array): void {
    this.count += 1;
    if (this.shown.length < SHOWN_MAX) this.shown.push(`${what}: ${Buffer.from(packet).toString('hex')}`);
  }
}
