/** The registered public keys: which key speaks for which PoP. */

import type { KeyObject } from 'node:crypto';
import { PopprobeError } from '../base/errors.ts';
import type { KeyPeriod } from './key-period.ts';

/** One registered key. A PoP has several while its key is being changed, and for its late documents after that. */
export interface Signer extends KeyPeriod {
  /** RFC 7638 thumbprint. */
  kid: string;
  pop: string;
  publicKey: KeyObject;
}

/** All registered keys. */
export class Keyring {
  #byKid: ReadonlyMap<string, Signer>;

  /** @throws PopprobeError `config_conflict` when a key is listed twice: it must speak for exactly one PoP. */
  constructor(signers: Iterable<Signer>) {
    const byKid = new Map<string, Signer>();
    for (const signer of signers) {
      const other = byKid.get(signer.kid);
      if (other !== undefined) {
        throw new PopprobeError('config_conflict', {
          expected: 'every key listed once',
          found: `key ${signer.kid} listed for ${other.pop} and for ${signer.pop}`,
          remedy: 'give every PoP a key of its own',
        });
      }
      byKid.set(signer.kid, signer);
    }
    this.#byKid = byKid;
  }

  /** From here on the keys of `other` are all that are registered. */
  become(other: Keyring): void {
    this.#byKid = other.#byKid;
  }

  find(kid: string): Signer | null {
    return this.#byKid.get(kid) ?? null;
  }
}
