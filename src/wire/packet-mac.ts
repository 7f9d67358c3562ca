/** What the codecs need of a message authentication code; who computes it is handed in (RFC 8762 section 4.4). */

/** Octets of an HMAC field: HMAC-SHA-256 truncated to 128 bits, as in RFC 4868. */
export const MAC_BYTES = 16;

/**
 * HMAC-SHA-256 under a session's key, truncated to its first 16 octets. One message at a time: `start()`, any number of
 * `update()`, then one `write()` or one `matches()`; the next message begins with `start()` again.
 */
export interface PacketMac {
  /** Forgets whatever went before. */
  start(): void;
  /** Adds the octets `from` up to but not including `to`; the caller has made sure that they lie within `view`. */
  update(view: DataView, from: number, to: number): void;
  /** Writes the 16 octets of the code at `at`. */
  write(view: DataView, at: number): void;
  /** Whether the 16 octets at `at` are the code, in a time that does not depend on where they differ. */
  matches(view: DataView, at: number): boolean;
}
