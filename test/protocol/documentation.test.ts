/** The verifier printed in docs/protocol.md is run as it stands there, on a document and on a forged one. */

import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SIGNATURE_TYPES, signDetached, signWithHeader } from '../../src/protocol/jws.ts';
import { buildKey, buildSummary, octetsOf, type TestKey } from './summary-fixture.ts';

let folder: string;
let key: TestKey;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popprobe-docs-'));
  key = await buildKey();
  const page = await readFile(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
  const program = /```js\n(?<program>[\s\S]*?)```/.exec(page)?.groups?.['program'];
  if (program === undefined) throw new Error('docs/protocol.md has no js block');
  await writeFile(join(folder, 'verify.mjs'), program);
  await writeFile(join(folder, 'fra.pub.json'), JSON.stringify(key.publicKey.export({ format: 'jwk' })));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Runs the printed program on these octets and this line. */
async function verdict(octets: Uint8Array, line: string): Promise<string> {
  await writeFile(join(folder, 'summary.json'), octets);
  await writeFile(join(folder, 'summary.jws'), `${line}\n`);
  const args = ['verify.mjs', 'summary.json', 'summary.jws', 'fra.pub.json'];
  const { stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  return stdout.trim();
}

it('says that a document is valid, and what it was signed as', async () => {
  const octets = octetsOf(buildSummary());
  expect(await verdict(octets, signDetached(octets, key, 'summary'))).toBe('valid summary');
  expect(await verdict(octets, signDetached(octets, key, 'record'))).toBe('valid record');
});

it('says that a changed document, or one signed as another type, is not', async () => {
  const octets = octetsOf(buildSummary());
  const changed = Buffer.from(octets.toString().replace('"lost":0', '"lost":1'));
  expect(await verdict(changed, signDetached(octets, key, 'summary'))).toBe('NOT VALID');
  const typ = SIGNATURE_TYPES.summary.replace('summary', 'other');
  const header = { alg: 'Ed25519', b64: false, kid: key.kid, typ } as const;
  const line = signWithHeader(octets, { ...header, crit: ['b64'] }, key.privateKey);
  expect(await verdict(octets, line)).toBe('NOT VALID');
});
