/** A real collector server over a real SQLite file, with keys for two PoPs and a stranger, for tests. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { request } from 'undici';
import { expect } from 'vitest';
import { Admission } from '../../src/collector/admission.ts';
import { IngestCounters } from '../../src/collector/counters.ts';
import { Keyring } from '../../src/collector/keyring.ts';
import { buildServer } from '../../src/collector/server.ts';
import { openDatabase } from '../../src/collector/store/database.ts';
import { SqliteStore } from '../../src/collector/store/sqlite-store.ts';
import type { DocumentStore } from '../../src/collector/store/store.ts';
import { SIGNATURE_HEADER } from '../../src/protocol/jws.ts';
import type { Summary } from '../../src/protocol/summary.ts';
import {
  buildKey,
  buildSummary,
  type SignedDocument,
  signDocument,
  type TestKey,
} from '../protocol/summary-fixture.ts';

/** The time at which the collector under test receives everything, ms. */
export const NOW_MS = Date.UTC(2026, 0, 1, 12);

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  json: unknown;
}

export interface Keys {
  fra: TestKey;
  ams: TestKey;
  stranger: TestKey;
}

/** The code of a refusal, after checking that it has the one shape of all refusals. */
export function refusalCode(json: unknown): unknown {
  const text: unknown = expect.any(String);
  expect(json).toEqual({ error: { code: text, message: text, expected: text, found: text, remedy: text } });
  return (json as { error: { code: string } }).error.code;
}

/** Starts `server` on a free port. */
async function listen(server: FastifyInstance): Promise<string> {
  return await server.listen({ host: '127.0.0.1', port: 0 });
}

export class Rig {
  readonly folder: string;
  readonly keys: Keys;
  /** A test may register others. */
  readonly keyring: Keyring;
  counters = new IngestCounters();
  #admission = new Admission(() => performance.now());
  url = '';
  #server: FastifyInstance | null = null;
  #store: DocumentStore | null = null;

  private constructor(folder: string, keys: Keys) {
    this.folder = folder;
    this.keys = keys;
    const { fra, ams } = keys;
    this.keyring = new Keyring([
      { kid: fra.kid, pop: 'fra', publicKey: fra.publicKey },
      { kid: ams.kid, pop: 'ams', publicKey: ams.publicKey },
    ]);
  }

  /** @param keys of an earlier rig; without them new ones */
  static async start(keys?: Keys): Promise<Rig> {
    const folder = await mkdtemp(join(tmpdir(), 'popprobe-collector-'));
    const rig = new Rig(folder, keys ?? { fra: await buildKey(), ams: await buildKey(), stranger: await buildKey() });
    await rig.open();
    return rig;
  }

  get file(): string {
    return join(this.folder, 'collector.sqlite');
  }

  /** Opens the store, in whatever file, and the server; `prepare` may narrow the database down first. */
  async open(
    prepare: (database: Database.Database) => void = () => undefined,
    file: string = this.file,
  ): Promise<void> {
    const database = openDatabase(file);
    prepare(database);
    const store = new SqliteStore(database);
    this.counters = new IngestCounters();
    this.#admission = new Admission(() => performance.now());
    this.#store = store;
    this.#server = buildServer({
      keyring: this.keyring,
      store,
      admission: this.#admission,
      counters: this.counters,
      pops: () => ['fra', 'ams', 'par'],
      log: pino({ level: 'silent' }),
      nowMs: () => NOW_MS,
      monotonicMs: () => performance.now(),
    });
    this.url = await listen(this.#server);
  }

  /** Closes server and store, in that order; the files stay. */
  async close(): Promise<void> {
    await this.#server?.close();
    await this.#store?.close();
    this.#server = null;
    this.#store = null;
  }

  /** Closes everything and removes the files. */
  async end(): Promise<void> {
    await this.close();
    await rm(this.folder, { recursive: true });
  }

  /** Gives the collector so many documents to work on that come to no end until the function returned is called. */
  occupy(documents: number): () => void {
    let release = (): void => undefined;
    const promise = new Promise<void>((resolve) => (release = resolve));
    for (let left = documents; left > 0; left -= 1) {
      void this.#admission.run({ octets: 1, isBacklog: false }, () => promise);
    }
    return release;
  }

  async get(path: string): Promise<Answer> {
    return await answerOf(request(this.url + path));
  }

  /** Posts a body, with these headers, to the ingest route. */
  async postBody(body: Uint8Array | string, headers: Record<string, string> = {}): Promise<Answer> {
    return await answerOf(request(`${this.url}/v1/documents`, { method: 'POST', body, headers }));
  }

  async post({ octets, signature }: SignedDocument): Promise<Answer> {
    return await this.postBody(octets, { 'content-type': 'application/json', [SIGNATURE_HEADER]: signature });
  }

  async sign(overrides: Partial<Summary> = {}, key: TestKey = this.keys.fra): Promise<SignedDocument> {
    return await signDocument(buildSummary(overrides), key);
  }

  /** Documents 1 to `n` of PoP `fra`, each naming the one before. */
  async signChain(n: number): Promise<SignedDocument[]> {
    const chain: SignedDocument[] = [];
    for (let sequence = 1; sequence <= n; sequence += 1) {
      chain.push(await this.sign({ sequence, prev: chain.at(-1)?.digest ?? null }));
    }
    return chain;
  }

  /** Every row of every table, read from the file by another connection. */
  dump(): Record<string, unknown[]> {
    const database = new Database(this.file, { readonly: true });
    try {
      const names = database
        .prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .all()
        .map(({ name }) => name);
      return Object.fromEntries(names.map((name) => [name, database.prepare(`SELECT * FROM ${name}`).all()]));
    } finally {
      database.close();
    }
  }
}

async function answerOf(response: ReturnType<typeof request>): Promise<Answer> {
  const { statusCode, headers, body } = await response;
  const text = await body.text();
  return { status: statusCode, headers, text, json: text === '' ? null : JSON.parse(text) };
}
