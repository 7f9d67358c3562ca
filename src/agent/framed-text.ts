/** Text collected as UTF-8 in one block of memory, with room in front of it for what is known only at the end. */

/** What a summary needs in front of its peers is about 2 kB. */
const ROOM_BYTES = 8 * 1024;
const FIRST_BYTES = 64 * 1024;
/** No UTF-16 unit takes more octets in UTF-8. */
const BYTES_PER_UNIT_MAX = 3;

/** The block is used again after `clear()`: a megabyte a minute would otherwise wait for the garbage collector. */
export class FramedText {
  #block = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #start = ROOM_BYTES;
  #end = ROOM_BYTES;

  /** What was appended. A view: valid until the next call that changes the text. */
  get octets(): Uint8Array {
    return this.#block.subarray(this.#start, this.#end);
  }

  clear(): void {
    this.#end = this.#start;
  }

  append(text: string): void {
    this.#makeRoom(0, text.length * BYTES_PER_UNIT_MAX);
    this.#end += this.#block.write(text, this.#end);
  }

  /** Appends octets that are UTF-8 already. */
  appendOctets(octets: Uint8Array): void {
    this.#makeRoom(0, octets.length);
    this.#block.set(octets, this.#end);
    this.#end += octets.length;
  }

  /** A view of `before`, the text and `after` in one piece. The text itself stays as it is. */
  between(before: string, after: string): Uint8Array {
    const bytes = Buffer.byteLength(before);
    this.#makeRoom(bytes, after.length * BYTES_PER_UNIT_MAX);
    this.#block.write(before, this.#start - bytes);
    const end = this.#end + this.#block.write(after, this.#end);
    return this.#block.subarray(this.#start - bytes, end);
  }

  #makeRoom(front: number, back: number): void {
    if (front <= this.#start && this.#end + back <= this.#block.length) return;
    const start = Math.max(front, this.#start);
    const length = this.#end - this.#start;
    const larger = Buffer.allocUnsafeSlow(Math.max(start + length + back, 2 * this.#block.length));
    this.#block.copy(larger, start, this.#start, this.#end);
    this.#block = larger;
    this.#start = start;
    this.#end = start + length;
  }
}
