/** Another configuration while the collector runs: whose keys it believes changes at once, everything else takes a restart. */

import type { Logger } from 'pino';
import { PopprobeError } from '../base/errors.ts';
import type { CollectorConfig } from '../config/collector-config.ts';
import { formatProblem, type Loaded } from '../config/problem.ts';
import type { Keyring } from './keyring.ts';
import { loadKeyring } from './load-keyring.ts';

export interface KeyReloadParts {
  /** Reads and checks the file again. */
  load: () => Loaded<CollectorConfig>;
  keyring: Keyring;
  log: Logger;
}

export class KeyReload {
  readonly #parts: KeyReloadParts;
  #config: CollectorConfig;
  /** One after the other: the last one asked for is the one that stays. */
  #last: Promise<void> = Promise.resolve();

  constructor(config: CollectorConfig, parts: KeyReloadParts) {
    this.#config = config;
    this.#parts = parts;
  }

  /** The configuration in force. */
  get config(): CollectorConfig {
    return this.#config;
  }

  /** Reads the configuration again and takes its keys, or says why not and goes on as before. Never rejects. */
  request(): Promise<void> {
    this.#last = this.#last.then(() => this.#attempt());
    return this.#last;
  }

  async #attempt(): Promise<void> {
    try {
      const { config, problems } = this.#parts.load();
      if (config === null) this.#refuse(problems.map(formatProblem));
      else await this.#take(config);
    } catch (error) {
      this.#refuse([error instanceof Error ? error.message : String(error)]);
    }
  }

  async #take(config: CollectorConfig): Promise<void> {
    const { keyring, log } = this.#parts;
    refuseWhatNeedsRestart(this.#config, config);
    keyring.become(await loadKeyring(config.pops));
    this.#config = config;
    log.level = config.logLevel;
    log.info({ pops: config.pops.length, keys: config.pops.flatMap(({ keys }) => keys).length }, 'configuration taken');
  }

  #refuse(reasons: readonly string[]): void {
    for (const reason of reasons) this.#parts.log.error({ reason }, 'configuration refused, the running one stays');
  }
}

function refuseWhatNeedsRestart(before: CollectorConfig, after: CollectorConfig): void {
  const parts = ['listen', 'store'] as const;
  const changed = parts.filter((part) => JSON.stringify(before[part]) !== JSON.stringify(after[part]));
  if (changed.length === 0) return;
  throw new PopprobeError('reload_needs_restart', {
    expected: 'changes that a running collector can take',
    found: `changes of ${changed.join(', ')}`,
    remedy: 'restart the collector: "systemctl restart popprobe-collector"',
  });
}
