/** The packets' HMAC by Node.js itself, so that a codec is not tested with the product's own. */

import { createHmac } from 'node:crypto';
import { MAC_BYTES, type PacketMac } from '../../src/wire/packet-mac.ts';

/** The key of the test vectors: 00 01 02 … 1f. */
export const VECTOR_KEY = Uint8Array.from({ length: 32 }, (_, index) => index);

/** HMAC-SHA-256 of hex octets, truncated, as hex. */
export function plainMac(key: Uint8Array, ...hex: string[]): string {
  const text = Buffer.from(hex.join('').replaceAll(/\s/g, ''), 'hex');
  return createHmac('sha256', key)
    .update(text)
    .digest('hex')
    .slice(0, 2 * MAC_BYTES);
}

export function nodeMac(key: Uint8Array): PacketMac {
  let hmac = createHmac('sha256', key);
  return {
    start() {
      hmac = createHmac('sha256', key);
    },
    update(view, from, to) {
      hmac.update(new Uint8Array(view.buffer, view.byteOffset + from, to - from));
    },
    write(view, at) {
      const code = hmac.digest();
      for (let octet = 0; octet < MAC_BYTES; octet += 1) view.setUint8(at + octet, code[octet] ?? 0);
    },
    matches(view, at) {
      const found = Buffer.from(new Uint8Array(view.buffer, view.byteOffset + at, MAC_BYTES));
      return hmac.digest().subarray(0, MAC_BYTES).equals(found);
    },
  };
}
