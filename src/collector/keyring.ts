/** The registered public keys: which key speaks for which PoP. */

import type { KeyObject } from 'node:crypto';
import { PopprobeError } from '../base/errors.ts';

/** One registered key. A PoP has several while its key is being changed. */
export interface Signer {
  /** RFC 7638 thumbprint. */
  kid: string;
  pop: string;
  publicKey: KeyObject;
}

/** All registered keys, fixed for the life of the collector. */
export class Keyring {
  readonly #byKid = new Map<string, Signer>();

  /** @throws PopprobeError `config_conflict` when a key is listed twice: it must speak for exactly one PoP. */
  constructor(signers: Iterable<Signer>) {
    for (const signer of signers) {
      const other = this.#byKid.get(signer.kid);
      if (other !== undefined) {
        throw new PopprobeError('config_conflict', {
          expected: 'every key listed once',
          found: `key ${signer.kid} listed for ${other.pop} and for ${signer.pop}`,
          remedy: 'give every PoP a key of its own',
        });
      }
      this.#byKid.set(signer.kid, signer);
    }
  }

  find(kid: string): Signer | null {
    return this.#byKid.get(kid) ?? null;
  }
}
