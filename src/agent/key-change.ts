/** Signing keys of another configuration: read and checked when it is, changed to when it is taken. */

import type { Logger } from 'pino';
import type { AgentConfig } from '../config/agent-config.ts';
import { readSigningKey } from '../config/signing-key.ts';
import type { Sealer, SigningStatus } from './seal.ts';
import type { ConfiguredKeys } from './signing-plan.ts';

/** Reads the key files. @throws PopprobeError `key_unreadable`, `key_exposed` or `key_invalid` */
export async function readConfiguredKeys(
  config: Pick<AgentConfig, 'keyFile' | 'nextKeyFile'>,
): Promise<ConfiguredKeys> {
  const { keyFile, nextKeyFile } = config;
  return { key: await readSigningKey(keyFile), next: nextKeyFile === null ? null : await readSigningKey(nextKeyFile) };
}

export class KeyChange {
  readonly #sealer: Pick<Sealer, 'announce' | 'check' | 'signing' | 'use'>;
  readonly #log: Logger;

  constructor(sealer: Pick<Sealer, 'announce' | 'check' | 'signing' | 'use'>, log: Logger) {
    this.#sealer = sealer;
    this.#log = log;
  }

  /** Which key signs, and which one is to follow. */
  get status(): SigningStatus {
    return this.#sealer.signing;
  }

  /** Reads the keys. @throws PopprobeError as `readConfiguredKeys`, and `key_unannounced` */
  async read(config: AgentConfig): Promise<ConfiguredKeys> {
    const keys = await readConfiguredKeys(config);
    this.check(keys);
    return keys;
  }

  /** @throws PopprobeError `key_unannounced` when none of the keys signs the chain */
  check(keys: ConfiguredKeys): void {
    this.#sealer.check(keys);
  }

  /** From here on documents are signed with these keys. @throws PopprobeError `key_unannounced` */
  async use(keys: ConfiguredKeys): Promise<void> {
    await this.#sealer.use(keys);
    await this.announce();
  }

  /** Announces a successor that is not in use yet. What the disk refuses now comes with the next document; never rejects. */
  async announce(): Promise<void> {
    const { kid, successor } = this.#sealer.signing;
    if (successor === null) return;
    try {
      await this.#sealer.announce();
      this.#log.info({ kid: successor, before: kid }, 'another key signs from here on');
    } catch (error) {
      this.#log.warn({ err: error, kid, successor }, 'cannot announce the next key now: the next document will');
    }
  }
}
