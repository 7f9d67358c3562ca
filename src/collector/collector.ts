/** The wiring of the collector: keys, store, server. */

import { lookup } from 'node:dns/promises';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { PopprobeError } from '../base/errors.ts';
import type { CollectorConfig } from '../config/collector-config.ts';
import { Admission } from './admission.ts';
import { IngestCounters } from './counters.ts';
import { KeyReload, type KeyReloadParts } from './key-reload.ts';
import { loadKeyring } from './load-keyring.ts';
import { buildServer } from './server.ts';
import { openDatabase } from './store/database.ts';
import { SqliteStore } from './store/sqlite-store.ts';

export interface Collector {
  /** Where it listens. */
  url: string;
  /** Reads the configuration again and goes on with its keys, or says why not. See `KeyReload`. */
  reload(): Promise<void>;
  /** Finishes the requests that have begun, then closes the store. */
  close(): Promise<void>;
}

/**
 * Starts the collector. `load` reads the configuration again.
 *
 * @throws PopprobeError for a bad key file (`key_unreadable`, `key_invalid`, `config_conflict`), an unusable store
 * (`store_unusable`), or an address that cannot be listened on (`syscall_failed`).
 */
export async function startCollector(
  config: CollectorConfig,
  log: Logger,
  { load }: Pick<KeyReloadParts, 'load'>,
): Promise<Collector> {
  const keyring = await loadKeyring(config.pops);
  const store = new SqliteStore(openDatabase(config.store.sqliteFile));
  const monotonicMs = (): number => performance.now();
  const admission = new Admission(monotonicMs);
  const counters = new IngestCounters();
  const keys = new KeyReload(config, { load, keyring, log });
  const pops = (): string[] => keys.config.pops.map((pop) => pop.name);
  const server = buildServer({ keyring, store, admission, counters, pops, log, nowMs: Date.now, monotonicMs });
  const close = async (): Promise<void> => {
    await server.close();
    await store.close();
  };
  try {
    const url = await listen(server, config.listen);
    log.info({ url, pops: config.pops.length }, 'collector listening');
    return { url, reload: () => keys.request(), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function listen(server: FastifyInstance, { host, port }: CollectorConfig['listen']): Promise<string> {
  try {
    // Of "localhost" the framework opens a second server for the second address, with none of the limits of ours.
    const { address } = await lookup(host, { verbatim: false });
    return await server.listen({ host: address, port });
  } catch (cause) {
    throw new PopprobeError('syscall_failed', {
      expected: `to listen on ${host} port ${port}`,
      found: cause instanceof Error ? cause.message : String(cause),
      remedy: 'free the address, or change listen in the configuration',
      cause,
    });
  }
}
