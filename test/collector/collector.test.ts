/** The collector as it is started: key files, store and address from a configuration. */

import dns from 'node:dns';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { request } from 'undici';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startCollector } from '../../src/collector/collector.ts';
import type { CollectorConfig } from '../../src/config/collector-config.ts';
import { writeKeyPair } from '../../src/config/key-pair.ts';
import { readSigningKey, type SigningKey } from '../../src/config/signing-key.ts';
import { SIGNATURE_HEADER } from '../../src/protocol/jws.ts';
import { refusalOf } from '../protocol/refusal.ts';
import { buildSummary, signDocument } from '../protocol/summary-fixture.ts';

const log = pino({ level: 'silent' });
const load = (): never => {
  throw new Error('nobody asked for another configuration');
};

let folder: string;
let key: SigningKey;
let config: CollectorConfig;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popprobe-start-'));
  const { keyFile, publicFile } = await writeKeyPair(folder, 'fra');
  key = await readSigningKey(keyFile);
  config = {
    listen: { host: '127.0.0.1', port: 0 },
    store: { sqliteFile: join(folder, 'collector.sqlite') },
    pops: [{ name: 'fra', keys: [{ file: publicFile }] }],
    logLevel: 'info',
  };
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

it('accepts what the key in the file has signed, and still has it after a restart', async () => {
  const { octets, signature } = await signDocument(buildSummary(), key);
  for (const status of ['accepted', 'duplicate']) {
    const collector = await startCollector(config, log, { load });
    const headers = { [SIGNATURE_HEADER]: signature };
    const { body } = await request(`${collector.url}/v1/documents`, { method: 'POST', body: octets, headers });
    expect(await body.json()).toMatchObject({ status, pop: 'fra', sequence: 1 });
    await collector.close();
  }
});

it('does not start with a key file that is none', async () => {
  const keyFile = join(folder, 'empty.pub.json');
  await writeFile(keyFile, '');
  const pops = [{ name: 'fra', keys: [{ file: keyFile }] }];
  expect((await refusalOf(() => startCollector({ ...config, pops }, log, { load }))).code).toMatch(/^key_/);
});

it('does not start with one key for two PoPs', async () => {
  const pops = [...config.pops, ...config.pops.map((pop) => ({ ...pop, name: 'ams' }))];
  expect((await refusalOf(() => startCollector({ ...config, pops }, log, { load }))).code).toBe('config_conflict');
});

it('does not start on an address that is taken, and lets go of the store', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const address = holder.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP address expected');
  const listen = { host: '127.0.0.1', port: address.port };
  expect((await refusalOf(() => startCollector({ ...config, listen }, log, { load }))).code).toBe('syscall_failed');
  holder.close();
  const collector = await startCollector(config, log, { load });
  await collector.close();
});

it('listens on one address of a name that has several: a second server would not be ours', async () => {
  // As a host whose "localhost" has both families. Where the name is looked up otherwise, it has the addresses of this host.
  const { lookup } = dns;
  const both = [
    { address: '127.0.0.1', family: 4 },
    { address: '127.0.0.2', family: 4 },
  ];
  const spy = vi.spyOn(dns, 'lookup').mockImplementation(((name: string, options: unknown, done: unknown) => {
    if (name === 'localhost' && typeof done === 'function') Reflect.apply(done, null, [null, both]);
    else Reflect.apply(lookup, dns, done === undefined ? [name, options] : [name, options, done]);
  }) as typeof lookup);
  const collector = await startCollector({ ...config, listen: { host: 'localhost', port: 0 } }, log, { load });
  spy.mockRestore();
  const other = connect({ host: '127.0.0.2', port: Number(new URL(collector.url).port) });
  await expect(once(other, 'connect')).rejects.toThrow('ECONNREFUSED');
  await collector.close();
});
