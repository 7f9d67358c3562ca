/** The keyring: a key speaks for exactly one PoP. */

import { expect, it } from 'vitest';
import { Keyring } from '../../src/collector/keyring.ts';
import { refusalOf } from '../protocol/refusal.ts';
import { buildKey } from '../protocol/summary-fixture.ts';

it('finds each of several keys of a PoP, and no other', async () => {
  const [old, next, stranger] = [await buildKey(), await buildKey(), await buildKey()];
  const signers = [old, next].map(({ kid, publicKey }) => ({ kid, publicKey, pop: 'fra' }));
  const keyring = new Keyring(signers);
  expect([keyring.find(old.kid), keyring.find(next.kid)]).toEqual(signers);
  expect(keyring.find(stranger.kid)).toBeNull();
});

it('refuses a key that is listed for two PoPs', async () => {
  const { kid, publicKey } = await buildKey();
  const signers = ['fra', 'ams'].map((pop) => ({ kid, publicKey, pop }));
  expect(await refusalOf(() => new Keyring(signers))).toMatchObject({
    code: 'config_conflict',
    found: `key ${kid} listed for fra and for ams`,
  });
});
