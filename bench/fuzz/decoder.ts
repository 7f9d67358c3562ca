/** A decoder under fuzz, and what must be true of its answers. */

export interface Decoder {
  name: string;
  decode: (view: DataView, offset: number, length: number) => string;
  /** Whether an answer is one that these octets may get; called after `decode`, whose fields it may look at. */
  permits: (answer: string, view: DataView, offset: number, length: number) => boolean;
}
