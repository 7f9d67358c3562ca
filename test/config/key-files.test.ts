/** Key files: what is written can be read, by us and by others, and what is unsafe or something else is refused. */

import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { writeKeyPair } from '../../src/config/key-pair.ts';
import { readPublicKey } from '../../src/config/public-key.ts';
import { readSigningKey } from '../../src/config/signing-key.ts';

const base = mkdtempSync(join(tmpdir(), 'popprobe-keys-'));
let folder = base;
beforeEach(() => {
  folder = mkdtempSync(join(base, 'test-'));
});
afterAll(() => {
  rmSync(base, { recursive: true });
});

/** The key of RFC 8037 appendix A and its thumbprint, appendix A.3. */
const RFC_8037 = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
const RFC_8037_D = 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A';
const RFC_8037_KID = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k';

describe('a new key pair', () => {
  it('signs with its private file what its public file verifies, under one kid', async () => {
    const { keyFile, publicFile, kid } = await writeKeyPair(join(folder, 'new', 'keys'), 'hkg1');
    const signing = await readSigningKey(keyFile);
    const verifying = await readPublicKey(publicFile);
    const signature = sign(null, Buffer.from('summary'), signing.privateKey);
    expect(verify(null, Buffer.from('summary'), verifying.publicKey, signature)).toBe(true);
    expect([signing.kid, verifying.kid]).toEqual([kid, kid]);
  });

  it('is a PKCS#8 PEM for the owner alone, whatever the umask, and a JWK that names algorithm and use', async () => {
    const before = process.umask(0);
    const { keyFile, publicFile, kid } = await writeKeyPair(folder, 'hkg1').finally(() => process.umask(before));
    expect(readFileSync(keyFile, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    const x = expect.stringMatching(/^[\w-]{43}$/);
    const published: unknown = JSON.parse(readFileSync(publicFile, 'utf8'));
    expect(published).toEqual({ kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'Ed25519', use: 'sig' });
  });

  it('is the same key to OpenSSL', async () => {
    const { keyFile, publicFile } = await writeKeyPair(folder, 'hkg1');
    const der = execFileSync('openssl', ['pkey', '-in', keyFile, '-pubout', '-outform', 'DER']);
    const { publicKey } = await readPublicKey(publicFile);
    expect(publicKey.export({ format: 'der', type: 'spki' }).equals(der)).toBe(true);
  });

  it.each(['hkg1.key', 'hkg1.pub.json'])('never replaces an existing %s, and leaves no half pair', async (existing) => {
    writeFileSync(join(folder, existing), 'precious');
    await expect(writeKeyPair(folder, 'hkg1')).rejects.toMatchObject({ code: 'key_exists' });
    expect(readdirSync(folder)).toEqual([existing]);
    expect(readFileSync(join(folder, existing), 'utf8')).toBe('precious');
  });

  it.each(['', '../hkg1', 'HKG1', 'a/b', 'x'.repeat(33)])('is not made for the name %j', async (name) => {
    await expect(writeKeyPair(folder, name)).rejects.toMatchObject({ code: 'config_invalid_value' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is not made where no folder can be', async () => {
    const file = write('file', 'not a folder');
    await expect(writeKeyPair(join(file, 'keys'), 'hkg1')).rejects.toMatchObject({
      code: 'key_unwritable',
      found: expect.stringContaining('not a directory'),
    });
  });
});

describe('reading a private key', () => {
  it('gives the thumbprint of RFC 8037 appendix A.3', async () => {
    const key = createPrivateKey({ key: { ...RFC_8037, d: RFC_8037_D }, format: 'jwk' });
    const file = write('rfc.key', key.export({ format: 'pem', type: 'pkcs8' }));
    expect((await readSigningKey(file)).kid).toBe(RFC_8037_KID);
  });

  it.each([0o640, 0o604, 0o620, 0o660, 0o777])(
    'is refused with mode %o, and the remedy makes it safe',
    async (mode) => {
      const { keyFile } = await writeKeyPair(join(folder, "it's here"), 'hkg1');
      chmodSync(keyFile, mode);
      const error: unknown = await readSigningKey(keyFile).catch((e: unknown) => e);
      expect(error).toMatchObject({ code: 'key_exposed', remedy: expect.stringMatching(/^run: chmod 600 /) });
      execFileSync('sh', ['-c', (error as { remedy: string }).remedy.slice('run: '.length)]);
      await expect(readSigningKey(keyFile)).resolves.toHaveProperty('kid');
    },
  );

  it('is allowed to the group, but not to others, among the credentials of a systemd service', async () => {
    const { keyFile } = await writeKeyPair(folder, 'hkg1');
    chmodSync(keyFile, 0o440);
    await expect(readSigningKey(keyFile, folder)).resolves.toHaveProperty('kid');
    await expect(readSigningKey(keyFile, join(folder, 'elsewhere'))).rejects.toMatchObject({ code: 'key_exposed' });
    chmodSync(keyFile, 0o444);
    await expect(readSigningKey(keyFile, folder)).rejects.toMatchObject({ code: 'key_exposed' });
  });

  it('is refused when it is of another type, encrypted, public, or no key at all', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const pkcs8 = { format: 'pem', type: 'pkcs8' } as const;
    const contents = [
      rsa.export(pkcs8),
      privateKey.export({ ...pkcs8, cipher: 'aes-256-cbc', passphrase: 'secret' }),
      publicKey.export({ format: 'pem', type: 'spki' }),
      '',
      'key',
    ];
    for (const content of contents) {
      await expect(readSigningKey(write('some.key', content))).rejects.toMatchObject({ code: 'key_invalid' });
    }
  });

  it.each(['none', '.', 'huge'])('is refused when it is no small file: %s', async (name) => {
    write('huge', 'x'.repeat(16 * 1024 + 1));
    await expect(readSigningKey(join(folder, name))).rejects.toMatchObject({ code: 'key_unreadable' });
  });
});

describe('reading a public key', () => {
  it('computes the thumbprint of RFC 8037 appendix A.3 and accepts it as kid', async () => {
    expect((await readPublicKey(jwk(RFC_8037))).kid).toBe(RFC_8037_KID);
    expect((await readPublicKey(jwk({ ...RFC_8037, kid: RFC_8037_KID }))).kid).toBe(RFC_8037_KID);
  });

  it('ignores members it does not know, as RFC 7517 section 4 demands', async () => {
    expect((await readPublicKey(jwk({ ...RFC_8037, note: 'of hkg1' }))).kid).toBe(RFC_8037_KID);
  });

  it('is refused when it is not an Ed25519 signature key with its own kid', async () => {
    const wrong = [
      { ...RFC_8037, kid: 'hkg1' },
      { ...RFC_8037, x: RFC_8037.x.slice(1) },
      { ...RFC_8037, crv: 'X25519' },
      { ...RFC_8037, alg: 'EdDSA' },
      { ...RFC_8037, use: 'enc' },
      { kty: 'RSA' },
      [],
      null,
    ];
    for (const content of wrong) {
      await expect(readPublicKey(jwk(content))).rejects.toMatchObject({ code: 'key_invalid' });
    }
    await expect(readPublicKey(write('bad.json', '{'))).rejects.toMatchObject({ code: 'key_invalid' });
  });

  it('is refused when the private key stands in it, without showing it', async () => {
    const error: unknown = await readPublicKey(jwk({ ...RFC_8037, d: RFC_8037_D })).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'key_exposed' });
    expect(String(error)).not.toContain(RFC_8037_D.slice(0, 8));
  });

  it('is refused when it is not there, or a directory', async () => {
    mkdirSync(join(folder, 'd.pub.json'));
    for (const name of ['none', 'd.pub.json']) {
      await expect(readPublicKey(join(folder, name))).rejects.toMatchObject({ code: 'key_unreadable' });
    }
  });
});

function write(name: string, content: string | Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, content, { mode: 0o600 });
  return file;
}

function jwk(content: unknown): string {
  return write('some.pub.json', JSON.stringify(content));
}
