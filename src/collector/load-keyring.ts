/** Reads the key files that the configuration names into a keyring. */

import type { CollectorConfig } from '../config/collector-config.ts';
import { readPublicKey } from '../config/public-key.ts';
import { Keyring, type Signer } from './keyring.ts';

/** @throws PopprobeError as `readPublicKey` and the keyring do: one bad key file keeps the collector from starting. */
export async function loadKeyring(pops: CollectorConfig['pops']): Promise<Keyring> {
  const signers: Signer[] = [];
  for (const { name, keys } of pops) {
    for (const { file, ...period } of keys) signers.push({ pop: name, ...period, ...(await readPublicKey(file)) });
  }
  return new Keyring(signers);
}
