/** The digest of the chain, against the published vector. */

import { expect, it } from 'vitest';
import { digestOf } from '../../src/protocol/digest.ts';

it('is SHA-256 in base64url: the vector "abc" of FIPS 180-2 appendix B.1', () => {
  const hex = Buffer.from(digestOf(Buffer.from('abc')), 'base64url').toString('hex');
  expect(hex).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(digestOf(Buffer.from('abc'))).toMatch(/^[A-Za-z0-9_-]{43}$/);
});
