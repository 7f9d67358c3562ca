/** Which documents wait in the spool, in the order of the chain: 12 octets each, however long the collector is away. */

export interface SpooledFile {
  sequence: number;
  /** Octets of its file. */
  bytes: number;
}

const CHUNK_FILES = 1024;

interface Chunk {
  sequences: Float64Array;
  bytes: Uint32Array;
  length: number;
}

export class SpoolIndex {
  /** Ascending, none of them empty. */
  readonly #chunks: Chunk[] = [];
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  /** Octets of all files. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The lowest number, or null. */
  get oldest(): number | null {
    return this.#chunks[0]?.sequences[0] ?? null;
  }

  /** The highest number, or null. */
  get newest(): number | null {
    const last = this.#chunks.at(-1);
    return last?.sequences[last.length - 1] ?? null;
  }

  has(sequence: number): boolean {
    return this.next(sequence) === sequence;
  }

  /** The lowest number that is `from` or more, or null. */
  next(from: number): number | null {
    const chunk = this.#chunks[this.#chunkOf(from)];
    return chunk?.sequences[positionIn(chunk, from)] ?? null;
  }

  /** The numbers from the lowest that is `from` or more on. The index must not change meanwhile. */
  *from(from: number): Generator<number> {
    for (let at = this.#chunkOf(from); at < this.#chunks.length; at += 1) {
      const chunk = this.#chunks[at];
      if (chunk === undefined) return;
      for (let position = positionIn(chunk, from); position < chunk.length; position += 1) {
        yield chunk.sequences[position] ?? 0;
      }
    }
  }

  /** Octets of the file with this number; 0 for none. */
  bytesOf(sequence: number): number {
    const chunk = this.#chunks[this.#chunkOf(sequence)];
    if (chunk === undefined) return 0;
    const position = positionIn(chunk, sequence);
    return chunk.sequences[position] === sequence ? (chunk.bytes[position] ?? 0) : 0;
  }

  /** Adds a file that is not there yet, at the end at no cost, elsewhere at that of moving a chunk. */
  add({ sequence, bytes }: SpooledFile): void {
    const chunk = this.#roomFor(sequence);
    const position = positionIn(chunk, sequence);
    chunk.sequences.copyWithin(position + 1, position, chunk.length);
    chunk.bytes.copyWithin(position + 1, position, chunk.length);
    chunk.sequences[position] = sequence;
    chunk.bytes[position] = bytes;
    chunk.length += 1;
    this.#count += 1;
    this.#bytes += bytes;
  }

  /** Takes a file out and returns it, or null when it is not there. */
  remove(sequence: number): SpooledFile | null {
    const at = this.#chunkOf(sequence);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return null;
    const position = positionIn(chunk, sequence);
    if (position >= chunk.length || chunk.sequences[position] !== sequence) return null;
    const bytes = chunk.bytes[position] ?? 0;
    chunk.sequences.copyWithin(position, position + 1, chunk.length);
    chunk.bytes.copyWithin(position, position + 1, chunk.length);
    chunk.length -= 1;
    if (chunk.length === 0) this.#chunks.splice(at, 1);
    this.#count -= 1;
    this.#bytes -= bytes;
    return { sequence, bytes };
  }

  /** The first chunk that ends at `sequence` or behind it; the number of chunks when none does. */
  #chunkOf(sequence: number): number {
    let [low, high] = [0, this.#chunks.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = this.#chunks[middle];
      if (chunk !== undefined && (chunk.sequences[chunk.length - 1] ?? 0) < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The chunk into which the number belongs, with room for one more. */
  #roomFor(sequence: number): Chunk {
    const at = Math.min(this.#chunkOf(sequence), Math.max(0, this.#chunks.length - 1));
    const chunk = this.#chunks[at];
    if (chunk !== undefined && chunk.length < CHUNK_FILES) return chunk;
    const isBehind = chunk === undefined || sequence > (chunk.sequences[CHUNK_FILES - 1] ?? 0);
    const fresh = isBehind ? emptyChunk() : secondHalf(chunk);
    this.#chunks.splice(chunk === undefined ? at : at + 1, 0, fresh);
    return isBehind || sequence > (chunk.sequences[chunk.length - 1] ?? 0) ? fresh : chunk;
  }
}

function emptyChunk(): Chunk {
  return { sequences: new Float64Array(CHUNK_FILES), bytes: new Uint32Array(CHUNK_FILES), length: 0 };
}

function secondHalf(chunk: Chunk): Chunk {
  const half = emptyChunk();
  const from = chunk.length >>> 1;
  half.sequences.set(chunk.sequences.subarray(from, chunk.length));
  half.bytes.set(chunk.bytes.subarray(from, chunk.length));
  half.length = chunk.length - from;
  chunk.length = from;
  return half;
}

/** Where in the chunk the number is, or would be. */
function positionIn(chunk: Chunk, sequence: number): number {
  let [low, high] = [0, chunk.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunk.sequences[middle] ?? 0) < sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}
