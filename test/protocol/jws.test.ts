/** The signature line: reproduced from an independent vector, verified by plain node:crypto, broken by any change. */

import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import * as fc from 'fast-check';
import { calculateJwkThumbprint } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { SIGNATURE_TYPES, signDetached, signWithHeader } from '../../src/protocol/jws.ts';
import { readHeader, verifyDetached } from '../../src/protocol/jws-verify.ts';
import { refusalOf } from './refusal.ts';
import { buildKey, type TestKey } from './summary-fixture.ts';

/** The key of RFC 8037 appendix A.1. */
const RFC8037_JWK = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
};
/** Its RFC 7638 thumbprint, RFC 8037 appendix A.3. */
const RFC8037_KID = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k';

const VECTOR_OCTETS = Buffer.from('{"v":1,"loss":0.25}\n');
const VECTOR_LINE =
  'eyJhbGciOiJFZDI1NTE5IiwiYjY0IjpmYWxzZSwiY3JpdCI6WyJiNjQiXSwia2lkIjoia1ByS19xbXhWV2FZVkE5d3dCRjZJdW8zdlZ6ejdUeEhDVHdYQnlnclM0ayJ9..apPTPBXkoCS4FopCF2U8xV4GTXkLlCYRGFE9pY3EEBx07kIMGjnMQ3NI8GwYG50NBT5MZlUr8bba3rWoM0GbBQ';

const rfcPrivateKey = createPrivateKey({ key: RFC8037_JWK, format: 'jwk' });
const rfcPublicKey = createPublicKey(rfcPrivateKey);

/** RFC 7797 section 3 with node:crypto alone: what a verifier without any JOSE library does. */
function verifyWithNodeCrypto(line: string, octets: Uint8Array, publicKey: KeyObject): boolean {
  const [header = '', , signature = ''] = line.split('.');
  const input = Buffer.concat([Buffer.from(`${header}.`), octets]);
  return verify(null, input, publicKey, Buffer.from(signature, 'base64url'));
}

/** A line with any header at all, correctly signed by the key. */
function lineWithHeader(header: unknown, octets: Uint8Array, privateKey: KeyObject): string {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const encoded = Buffer.from(text).toString('base64url');
  const signature = sign(null, Buffer.concat([Buffer.from(`${encoded}.`), octets]), privateKey);
  return `${encoded}..${signature.toString('base64url')}`;
}

describe('the vector with the RFC 8037 key', () => {
  it('is reproduced octet for octet', async () => {
    const header = { alg: 'Ed25519', b64: false, crit: ['b64'], kid: RFC8037_KID } as const;
    expect(signWithHeader(VECTOR_OCTETS, { ...header, crit: ['b64'] }, rfcPrivateKey)).toBe(VECTOR_LINE);
  });

  it('verifies with plain node:crypto', () => {
    expect(verifyWithNodeCrypto(VECTOR_LINE, VECTOR_OCTETS, rfcPublicKey)).toBe(true);
  });

  it('is not accepted as a summary, because its header names no type', async () => {
    await expect(verifyDetached(VECTOR_LINE, VECTOR_OCTETS, rfcPublicKey)).rejects.toMatchObject({ code: 'malformed' });
  });

  it('has the thumbprint of RFC 8037 appendix A.3 as kid', async () => {
    const { kty, crv, x } = RFC8037_JWK;
    expect(await calculateJwkThumbprint({ kty, crv, x })).toBe(RFC8037_KID);
  });
});

describe('a signed line', () => {
  let key: TestKey;
  let line: string;
  const octets = Buffer.from('{"pop":"fra"}\n');

  beforeAll(async () => {
    key = await buildKey();
    line = signDetached(octets, key, 'summary');
  });

  it('names the key and verifies', async () => {
    expect(readHeader(line)).toEqual({ kid: key.kid, kind: 'summary' });
    await verifyDetached(line, octets, key.publicKey);
  });

  it('carries exactly the five members and no payload', () => {
    const [header = '', payload] = line.split('.');
    expect(payload).toBe('');
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
      alg: 'Ed25519',
      b64: false,
      crit: ['b64'],
      kid: key.kid,
      typ: 'popprobe-summary+jws',
    });
  });

  it('is the same when the same octets are signed again', async () => {
    expect(signDetached(octets, key, 'summary')).toBe(line);
  });

  it('names the kind of document, and is worth nothing for another', async () => {
    const record = signDetached(octets, key, 'record');
    expect(readHeader(record)).toEqual({ kid: key.kid, kind: 'record' });
    await verifyDetached(record, octets, key.publicKey);
    const [header = ''] = record.split('.');
    const mixed = `${header}..${line.split('.')[2]}`;
    await expect(verifyDetached(mixed, octets, key.publicKey)).rejects.toMatchObject({ code: 'bad_signature' });
  });

  it('verifies with plain node:crypto over any octets', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (any) => {
        expect(verifyWithNodeCrypto(signDetached(any, key, 'summary'), any, key.publicKey)).toBe(true);
      }),
    );
  });

  it('is refused under another key', async () => {
    const other = await buildKey();
    await expect(verifyDetached(line, octets, other.publicKey)).rejects.toMatchObject({ code: 'bad_signature' });
  });

  it('is refused when any octet of the document is changed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(octets.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = Buffer.from(octets);
        changed.writeUInt8(changed.readUInt8(at) ^ flip, at);
        await expect(verifyDetached(line, changed, key.publicKey)).rejects.toMatchObject({ code: 'bad_signature' });
      }),
    );
  });

  it('is refused when octets are added or cut off', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(octets.length - 1), fc.uint8Array({ minLength: 1 }), async (at, tail) => {
        for (const changed of [octets.subarray(0, at), Buffer.concat([octets, tail])]) {
          await expect(verifyDetached(line, changed, key.publicKey)).rejects.toMatchObject({ code: 'bad_signature' });
        }
      }),
    );
  });

  it('is refused when any character of the line is changed', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n';
    await fc.assert(
      fc.asyncProperty(fc.nat(line.length - 1), fc.constantFrom(...alphabet.split('')), async (at, character) => {
        fc.pre(line[at] !== character);
        const changed = line.slice(0, at) + character + line.slice(at + 1);
        const refusal = await refusalOf(() => verifyDetached(changed, octets, key.publicKey));
        expect(refusal.code).toMatch(/^(malformed|bad_signature)$/);
      }),
      { numRuns: 500 },
    );
  });

  it('is refused when the unused bits of the last character are set, although they decode to the same signature', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(line.slice(-1));
    const changed = line.slice(0, -1) + alphabet.charAt(last ^ 1);
    expect(Buffer.from(changed.split('.')[2] ?? '', 'base64url')).toEqual(
      Buffer.from(line.split('.')[2] ?? '', 'base64url'),
    );
    await expect(verifyDetached(changed, octets, key.publicKey)).rejects.toMatchObject({ code: 'malformed' });
  });
});

describe('a line whose header is signed but not acceptable', () => {
  const octets = Buffer.from('{}');
  const good = { alg: 'Ed25519', b64: false, crit: ['b64'], kid: RFC8037_KID, typ: SIGNATURE_TYPES.summary };

  it('passes when nothing is wrong with it', async () => {
    const line = lineWithHeader(good, octets, rfcPrivateKey);
    await expect(verifyDetached(line, octets, rfcPublicKey)).resolves.toBeUndefined();
  });

  const refused: [string, unknown, string][] = [
    ['the deprecated algorithm name EdDSA', { ...good, alg: 'EdDSA' }, 'bad_signature'],
    ['no signature at all', { ...good, alg: 'none' }, 'bad_signature'],
    ['a symmetric algorithm', { ...good, alg: 'HS256' }, 'bad_signature'],
    ['a base64url payload', { ...good, b64: true }, 'bad_signature'],
    ['an empty crit', { ...good, crit: [] }, 'bad_signature'],
    ['another crit', { ...good, crit: ['exp'] }, 'bad_signature'],
    ['another type', { ...good, typ: 'JWT' }, 'bad_signature'],
    ['no b64', { ...good, b64: undefined }, 'malformed'],
    ['no kid', { ...good, kid: undefined }, 'malformed'],
    ['a kid that is no thumbprint', { ...good, kid: '../../etc/passwd' }, 'malformed'],
    ['a second crit entry', { ...good, crit: ['b64', 'exp'] }, 'malformed'],
    ['an embedded key', { ...good, jwk: RFC8037_JWK }, 'malformed'],
    ['an address to fetch the key from', { ...good, jku: 'https://example.net/keys' }, 'malformed'],
    ['an array', [], 'malformed'],
    ['text that is not JSON', 'nonsense', 'malformed'],
    ['a byte order mark', `\ufeff${JSON.stringify(good)}`, 'malformed'],
    ['a type twice', JSON.stringify(good).replace('{', '{"typ":"popprobe-record+jws",'), 'malformed'],
  ];

  it.each(refused)('is refused: %s', async (_what, header, code) => {
    const line = lineWithHeader(header, octets, rfcPrivateKey);
    expect(() => readHeader(line)).toThrow(expect.objectContaining({ code }));
    await expect(verifyDetached(line, octets, rfcPublicKey)).rejects.toMatchObject({ code });
  });

  it('is refused when its signature covers the base64url form of the octets', async () => {
    const encoded = Buffer.from(octets.toString('base64url'));
    const line = lineWithHeader(good, encoded, rfcPrivateKey);
    await expect(verifyDetached(line, octets, rfcPublicKey)).rejects.toMatchObject({ code: 'bad_signature' });
  });
});

describe('reading the header', () => {
  const header = Buffer.from(JSON.stringify({ alg: 'Ed25519' })).toString('base64url');
  const misshapen = ['', '.', '..', '...', 'a..b.c', `${header}.e30.AAAA`, `${header}..`, `..AAAA`, `${header}. .AAAA`];

  it.each(misshapen)('refuses %j as malformed', (line) => {
    expect(() => readHeader(line)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  it('refuses a line over the limit before it decodes anything', () => {
    const line = `${'A'.repeat(LIMITS.signatureLineBytesMax)}..AAAA`;
    expect(() => readHeader(line)).toThrow(/at most 2048 octets/);
  });

  it('answers any text with a header or with one of its two errors', async () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }));
    await fc.assert(
      fc.asyncProperty(text, fc.string(), async (left, right) => {
        for (const line of [left, `${Buffer.from(left).toString('base64url')}..${right}`]) {
          const refusal = await refusalOf(() => readHeader(line));
          expect(refusal.code).toMatch(/^(malformed|bad_signature)$/);
        }
      }),
    );
  });
});
