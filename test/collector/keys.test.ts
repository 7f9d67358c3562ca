/** Whose signature counts, and when: keys that begin, end and are revoked, and what a collector makes of a new list of them. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Collector, startCollector } from '../../src/collector/collector.ts';
import type { KeyPeriod } from '../../src/collector/key-period.ts';
import { Keyring } from '../../src/collector/keyring.ts';
import { loadCollectorConfig } from '../../src/config/collector-config.ts';
import { writeKeyPair } from '../../src/config/key-pair.ts';
import { readSigningKey, type SigningKey } from '../../src/config/signing-key.ts';
import { DOCUMENTS_ROUTE } from '../../src/protocol/document-kind.ts';
import { SIGNATURE_HEADER } from '../../src/protocol/jws.ts';
import { freePort } from '../e2e/free-port.ts';
import { buildRecord, EVENTS } from '../protocol/record-fixture.ts';
import { buildSummary, type SignedDocument, signDocument, WINDOW_START_S } from '../protocol/summary-fixture.ts';
import { NOW_MS, Rig, refusalCode } from './harness.ts';

/** End of the window of document `sequence`, ms. */
const endMs = (sequence: number): number => (WINDOW_START_S + (sequence + 1) * 60) * 1000;

describe('a registered key', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.end());

  /** Registers the key of `fra` and one more of it, with these times. */
  function register(first: KeyPeriod, second: KeyPeriod = {}): void {
    const { fra, stranger } = rig.keys;
    rig.keyring.become(
      new Keyring([
        { kid: fra.kid, publicKey: fra.publicKey, pop: 'fra', ...first },
        { kid: stranger.kid, publicKey: stranger.publicKey, pop: 'fra', ...second },
      ]),
    );
  }

  async function mustRefuse(document: SignedDocument, status: number, code: string): Promise<void> {
    const before = rig.dump();
    const answer = await rig.post(document);
    expect([answer.status, refusalCode(answer.json)]).toEqual([status, code]);
    expect(rig.dump()).toEqual(before);
  }

  it('is believed of the times from its first instant to its last, both included', async () => {
    register({ fromMs: endMs(3), untilMs: endMs(4) });
    const [, second, third, fourth, fifth] = await rig.signChain(5);
    if (!second || !third || !fourth || !fifth) throw new Error('five documents expected');
    await mustRefuse(second, 403, 'key_not_yet_valid');
    expect(await rig.post(fourth)).toMatchObject({ status: 200, json: { status: 'accepted' } });
    await mustRefuse(fifth, 403, 'key_expired');
    expect(await rig.post(third)).toMatchObject({ status: 200, json: { status: 'accepted' } });
  });

  it('is believed of events by the instant in which they were', async () => {
    register({ fromMs: endMs(3), untilMs: endMs(4) });
    const events = [endMs(3) - 1, endMs(4) + 1, endMs(3), endMs(4)].map((at_unix_ms, index) =>
      buildRecord(EVENTS.pair, { sequence: 10 * (index + 1), at_unix_ms }),
    );
    const [early, late, first, last] = await Promise.all(
      events.map((event) => signDocument(event, rig.keys.fra, 'record')),
    );
    if (!early || !late || !first || !last) throw new Error('four events expected');
    await mustRefuse(early, 403, 'key_not_yet_valid');
    await mustRefuse(late, 403, 'key_expired');
    for (const event of [first, last]) expect(await rig.post(event)).toMatchObject({ status: 200 });
  });

  it('that has ended still delivers what it signed before and was held up, with the next one beside it', async () => {
    register({ untilMs: endMs(3) }, { fromMs: endMs(4) });
    const old = await rig.signChain(3);
    const next = await rig.sign({ sequence: 4, prev: old.at(-1)?.digest ?? null }, rig.keys.stranger);
    // The clock of the collector is hours behind all of it.
    expect(NOW_MS).toBeGreaterThan(endMs(4));
    for (const document of [next, ...old]) expect(await rig.post(document)).toMatchObject({ status: 200 });
    await mustRefuse(await rig.sign({ sequence: 5 }), 403, 'key_expired');
    await mustRefuse(await rig.sign({ sequence: 2 }, rig.keys.stranger), 403, 'key_not_yet_valid');
  });

  it('that is revoked delivers nothing from that instant of our clock on, whatever time a document states', async () => {
    register({ revokedAtMs: NOW_MS + 1 });
    const [first, second] = await rig.signChain(2);
    if (!first || !second) throw new Error('two documents expected');
    expect(await rig.post(first)).toMatchObject({ status: 200 });
    register({ revokedAtMs: NOW_MS });
    await mustRefuse(second, 403, 'key_revoked');
    await mustRefuse(first, 403, 'key_revoked');
  });

  it('answers for its own PoP only, and forged documents are refused whatever its times are', async () => {
    register({ fromMs: endMs(1) }, { untilMs: endMs(9) });
    const document = await rig.sign();
    const changed = Buffer.from(document.octets.toString().replace('"received":600', '"received":601'));
    await mustRefuse({ ...document, octets: changed }, 401, 'bad_signature');
    await mustRefuse(await rig.sign({ pop: 'ams' }), 403, 'key_not_for_pop');
    await mustRefuse(await rig.sign({}, rig.keys.ams), 401, 'unknown_key');
    expect(await rig.post(document)).toMatchObject({ status: 200 });
  });
});

describe('a collector that is told to read its configuration again', () => {
  let folder: string;
  let port: number;
  let old: SigningKey;
  let next: SigningKey;
  let collector: Collector;
  let lines: { msg: string; reason?: string }[];

  const configFile = (): string => join(folder, 'collector.yaml');

  async function writeConfig(keys: string, more = ''): Promise<void> {
    const text = `schema: popprobe.collector/1
listen: { host: 127.0.0.1, port: ${port} }
store: { sqlite_file: collector.db }
pops:
  - name: fra
    keys: [${keys}]
${more}`;
    await writeFile(configFile(), text);
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'popprobe-keyring-'));
    old = await readSigningKey((await writeKeyPair(folder, 'old')).keyFile);
    next = await readSigningKey((await writeKeyPair(folder, 'next')).keyFile);
    port = await freePort();
    lines = [];
    await writeConfig('{ file: old.pub.json }');
    const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
    const { config } = loadCollectorConfig(configFile());
    if (config === null) throw new Error('a good configuration expected');
    collector = await startCollector(config, log, { load: () => loadCollectorConfig(configFile()) });
  });

  afterEach(async () => {
    await collector.close();
    await rm(folder, { recursive: true });
  });

  async function post({ octets, signature }: SignedDocument): Promise<unknown> {
    const headers = { [SIGNATURE_HEADER]: signature };
    const answer = await request(`${collector.url}${DOCUMENTS_ROUTE}`, { method: 'POST', body: octets, headers });
    const body = (await answer.body.json()) as { status?: string; error?: { code: string } };
    return body.status ?? body.error?.code;
  }

  const reasons = (): string[] => lines.flatMap(({ reason }) => (reason === undefined ? [] : [reason]));

  it('believes a new key, and no longer a revoked one, without a restart', async () => {
    expect(await post(await signDocument(buildSummary({ sequence: 1 }), old))).toBe('accepted');
    expect(await post(await signDocument(buildSummary({ sequence: 3 }), next))).toBe('unknown_key');
    await writeConfig('{ file: old.pub.json, revoked_at: 2026-01-01T00:00:00+00:00 }, { file: next.pub.json }');
    await collector.reload();
    expect(await post(await signDocument(buildSummary({ sequence: 3 }), next))).toBe('accepted');
    expect(await post(await signDocument(buildSummary({ sequence: 5 }), old))).toBe('key_revoked');
    expect(lines.map(({ msg }) => msg)).toContain('configuration taken');
  });

  it('serves PoPs that are new, and no longer those that are gone', async () => {
    await writeConfig('{ file: old.pub.json }', '  - { name: ams, keys: [{ file: next.pub.json }] }\n');
    await collector.reload();
    const { statusCode, body } = await request(`${collector.url}/api/v1/documents/ams`);
    expect(statusCode).toBe(200);
    await body.dump();
    expect(await post(await signDocument(buildSummary({ pop: 'ams' }), next))).toBe('accepted');
  });

  it.each([
    ['that is not YAML', 'not: [ yaml', /config_syntax/],
    ['that breaks the schema', 'colour: green', /colour.*config_unknown_key/],
    ['of another address', 'listen: { host: 127.0.0.1, port: 1 }', /changes of listen.*restart/],
  ])('goes on as before with a configuration %s, and says why', async (_, text, reason) => {
    const keep = `schema: popprobe.collector/1\nstore: { sqlite_file: collector.db }\n`;
    const listen = text.startsWith('listen') ? '' : `listen: { host: 127.0.0.1, port: ${port} }\n`;
    await writeFile(configFile(), `${keep}${listen}${text}\npops: [{ name: fra, keys: [{ file: next.pub.json }] }]\n`);
    await collector.reload();
    expect(reasons().join('\n')).toMatch(reason);
    expect(await post(await signDocument(buildSummary(), old))).toBe('accepted');
    expect(await post(await signDocument(buildSummary({ sequence: 3 }), next))).toBe('unknown_key');
  });

  it('goes on as before when a key file is bad or missing, and says which', async () => {
    await writeConfig('{ file: next.pub.json }, { file: none.pub.json }');
    await collector.reload();
    expect(reasons().join('\n')).toMatch(/none\.pub\.json/);
    expect(await post(await signDocument(buildSummary({ sequence: 3 }), next))).toBe('unknown_key');
  });

  it('loses no document of either key while it is told so again and again', async () => {
    const both = ['{ file: old.pub.json }, { file: next.pub.json }', '{ file: next.pub.json }, { file: old.pub.json }'];
    await writeConfig(both[0] ?? '');
    await collector.reload();
    const sequences = Array.from({ length: 120 }, (_, index) => 2 * index + 1);
    const state = { isPosting: true, reloads: 0 };
    const reloading = (async (): Promise<void> => {
      while (state.isPosting) {
        await writeConfig(both[state.reloads % 2] ?? '');
        await collector.reload();
        state.reloads += 1;
      }
    })();
    const answers = await Promise.all(
      sequences.map(async (sequence) =>
        post(await signDocument(buildSummary({ sequence }), sequence % 4 === 1 ? old : next)),
      ),
    );
    state.isPosting = false;
    await reloading;
    expect(new Set(answers)).toEqual(new Set(['accepted']));
    expect(state.reloads).toBeGreaterThan(1);
    expect(reasons()).toEqual([]);
  });
});
