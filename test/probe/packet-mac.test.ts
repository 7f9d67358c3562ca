/** HMAC-SHA-256-128 against the vector of RFC 4868 and against Node.js's own, over any length, any cut and any keys. */

import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HmacSha256Mac } from '../../src/probe/packet-mac.ts';
import { fromHex, toHex, viewOf } from '../wire/bytes.ts';

const octets = (maxLength: number) => fc.uint8Array({ maxLength });
const keys = fc.uint8Array({ minLength: 1, maxLength: 100 });

function plain(key: Uint8Array, message: Uint8Array): string {
  return createHmac('sha256', key).update(message).digest('hex').slice(0, 32);
}

function written(mac: HmacSha256Mac, message: Uint8Array, cut = 0): string {
  const code = new Uint8Array(16);
  mac.start();
  mac.update(viewOf(message), 0, cut);
  mac.update(viewOf(message), cut, message.length);
  mac.write(viewOf(code), 0);
  return toHex(code);
}

function matches(mac: HmacSha256Mac, message: Uint8Array, code: Uint8Array): boolean {
  mac.start();
  mac.update(viewOf(message), 0, message.length);
  return mac.matches(viewOf(code), 0);
}

describe('the code of a message', () => {
  it('is the one of RFC 4868, AUTH256-1', () => {
    const mac = new HmacSha256Mac(new Uint8Array(32).fill(0x0b));
    expect(written(mac, new TextEncoder().encode('Hi There'))).toBe('198a607eb44bfbc69903a0f1cf2bbdc5');
  });

  it('is the one of Node.js, for any length and cut, one message after another through the same object', () => {
    fc.assert(
      fc.property(keys, fc.array(octets(300), { minLength: 1, maxLength: 5 }), fc.nat(300), (key, messages, at) => {
        const mac = new HmacSha256Mac(key);
        for (const message of messages) {
          expect(written(mac, message, Math.min(at, message.length))).toBe(plain(key, message));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is that of the octets asked for, and is written where asked for', () => {
    const key = new Uint8Array(32).fill(7);
    const message = Uint8Array.from({ length: 100 }, (_, index) => index);
    const into = new Uint8Array(20).fill(0xee);
    const mac = new HmacSha256Mac(key);
    mac.start();
    mac.update(viewOf(message), 3, 99);
    mac.write(viewOf(into), 2);
    expect(toHex(into)).toBe(`eeee${plain(key, message.subarray(3, 99))}eeee`);
  });

  it('is unaffected by a message that was begun and given up', () => {
    const key = new Uint8Array(32).fill(7);
    const mac = new HmacSha256Mac(key);
    mac.start();
    mac.update(viewOf(new Uint8Array(77)), 0, 77);
    expect(written(mac, Uint8Array.of(1, 2, 3))).toBe(plain(key, Uint8Array.of(1, 2, 3)));
  });
});

describe('verification', () => {
  const old = new Uint8Array(32).fill(1);
  const current = new Uint8Array(32).fill(2);
  const message = Uint8Array.from({ length: 96 }, (_, index) => 255 - index);

  it('takes every key during a rotation, signs with the first, and takes no other key', () => {
    const mac = new HmacSha256Mac(current, old);
    expect(written(mac, message)).toBe(plain(current, message));
    expect(matches(mac, message, fromHex(plain(current, message)))).toBe(true);
    expect(matches(mac, message, fromHex(plain(old, message)))).toBe(true);
    expect(matches(mac, message, fromHex(plain(new Uint8Array(32).fill(3), message)))).toBe(false);
    expect(matches(new HmacSha256Mac(current), message, fromHex(plain(old, message)))).toBe(false);
  });

  it('refuses a code with any one bit flipped', () => {
    const mac = new HmacSha256Mac(old, current);
    for (let bit = 0; bit < 128; bit += 1) {
      const code = fromHex(plain(current, message));
      code[bit >> 3] = (code[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(matches(mac, message, code)).toBe(false);
    }
  });
});
