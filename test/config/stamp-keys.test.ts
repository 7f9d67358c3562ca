/** The keys of authenticated STAMP sessions: read in their order, and refused when they are unsafe or something else. */

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { refuseExposed } from '../../src/config/key-file.ts';
import { writeStampKey } from '../../src/config/new-stamp-key.ts';
import { readStampKeys } from '../../src/config/stamp-keys.ts';

const base = mkdtempSync(join(tmpdir(), 'popprobe-stamp-keys-'));
let folder = base;
beforeEach(() => {
  folder = mkdtempSync(join(base, 'test-'));
});
afterAll(() => {
  rmSync(base, { recursive: true });
});

/** The key of RFC 4868's test case AUTH256-1, as long as ours must be, and another. */
const ONE = '0b'.repeat(32);
const OTHER = '0123456789abcdefABCDEF0123456789'.repeat(2);

function place(content: string, mode = 0o600): string {
  const file = join(folder, 'hkg1-to-sin1.key');
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

const read = (): Promise<Uint8Array[]> => readStampKeys(folder, 'hkg1', 'sin1');

describe('a new STAMP key', () => {
  it('is 32 random octets for the owner alone, whatever the umask, and can be read', async () => {
    const before = process.umask(0);
    const write = writeStampKey(join(folder, 'new'), 'hkg1-to-sin1').finally(() => process.umask(before));
    const file = await write;
    expect(file).toBe(join(folder, 'new', 'hkg1-to-sin1.key'));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const [key, ...others] = await readStampKeys(join(folder, 'new'), 'hkg1', 'sin1');
    expect(others).toEqual([]);
    expect(readFileSync(file, 'utf8')).toBe(`${Buffer.from(key ?? []).toString('hex')}\n`);
    await writeStampKey(folder, 'hkg1-to-sin1');
    expect(readFileSync(join(folder, 'hkg1-to-sin1.key'), 'utf8')).not.toBe(readFileSync(file, 'utf8'));
  });

  it('never replaces a file', async () => {
    const file = place('precious');
    await expect(writeStampKey(folder, 'hkg1-to-sin1')).rejects.toMatchObject({ code: 'key_exists', found: file });
    expect(readFileSync(file, 'utf8')).toBe('precious');
  });

  it.each([
    '',
    'hkg1',
    'hkg1-to-',
    '-to-sin1',
    'hkg1-sin1',
    '../hkg1-to-sin1',
    'hkg1-to-Sin1',
    'a-to-b/c',
    'a-to-b-to-c',
  ])('is not made for %j', async (session) => {
    await expect(writeStampKey(folder, session)).rejects.toMatchObject({ code: 'config_invalid_value' });
  });
});

describe('reading STAMP keys', () => {
  it.each([
    ['one line', ONE, [ONE]],
    ['one line that ends', `${ONE}\n`, [ONE]],
    ['two lines', `${OTHER}\n${ONE}\n`, [OTHER, ONE]],
  ])('gives the one that signs first: %s', async (_, content, expected) => {
    place(content);
    const keys = (await read()).map((key) => Buffer.from(key).toString('hex'));
    expect(keys).toEqual(expected.map((key) => key.toLowerCase()));
  });

  it('allows a file that nobody may write', async () => {
    place(ONE, 0o400);
    await expect(read()).resolves.toHaveLength(1);
  });

  it.each([
    ['nothing', ''],
    ['too short a key', ONE.slice(1)],
    ['too long a key', `${ONE}0`],
    ['three keys', `${ONE}\n${OTHER}\n${'00'.repeat(32)}\n`],
    ['the same key twice', `${OTHER}\n${OTHER.toUpperCase()}\n`],
    ['an empty line', `${ONE}\n\n`],
    ['the ends of lines of another system', `${ONE}\r\n`],
    ['other characters', 'zz'.repeat(32)],
    ['octets', '\u00ff\u0000'],
  ])('refuses %s, and shows no octet of it', async (_, content) => {
    place(content);
    const error: unknown = await read().catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'key_invalid', found: expect.stringMatching(/^something else in /) });
    expect(JSON.stringify(error) + String(error)).not.toMatch(/0b0b0b0b|01234567|zzzz/i);
  });

  it.each([0o640, 0o604, 0o660, 0o777])('is refused with mode %o, and the remedy makes it safe', async (mode) => {
    place(ONE, mode);
    const error: unknown = await read().catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'key_exposed', remedy: expect.stringMatching(/^run: chmod 600 /) });
    execFileSync('sh', ['-c', (error as { remedy: string }).remedy.slice('run: '.length)]);
    await expect(read()).resolves.toHaveLength(1);
  });

  it('is allowed to the group among the credentials of a systemd service', async () => {
    place(ONE, 0o440);
    await expect(readStampKeys(folder, 'hkg1', 'sin1', folder)).resolves.toHaveLength(1);
    await expect(read()).rejects.toMatchObject({ code: 'key_exposed' });
  });

  it.each(['none', 'folder', 'huge'])(
    'is refused when it is no small file, and says what makes it: %s',
    async (what) => {
      if (what === 'folder') mkdirSync(join(folder, 'hkg1-to-sin1.key'));
      if (what === 'huge') place('0'.repeat(16 * 1024 + 1));
      await expect(read()).rejects.toMatchObject({
        code: 'key_unreadable',
        remedy: expect.stringContaining(`popprobe keygen --stamp hkg1-to-sin1 --out ${folder}`),
      });
    },
  );

  it.skipIf(process.geteuid?.() !== 0)(
    'is for the user who owns the file, and for root (needs root to be either)',
    async () => {
      const file = place(ONE);
      chownSync(file, 12_345, 12_345);
      await expect(read()).resolves.toHaveLength(1);
      const seen = { octets: Buffer.from(ONE), mode: 0o600, uid: 12_345 };
      process.seteuid?.(54_321);
      try {
        expect(() => {
          refuseExposed(seen, file, 'a STAMP key');
        }).toThrow(expect.objectContaining({ code: 'key_exposed', remedy: `run: chown 54321 ${file}` }));
        refuseExposed({ ...seen, uid: 54_321 }, file, 'a STAMP key');
      } finally {
        process.seteuid?.(0);
      }
    },
  );
});
