/** A folder that is named as spool by mistake: what lies in it stays there. */

import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { refusalOf } from '../protocol/refusal.ts';
import { open, temporaryFolder } from './spool-fixture.ts';

describe('a folder with files', () => {
  it('and folders that are nothing of a spool is refused, and stays as it is', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'photos'));
    await writeFile(join(folder, 'notes.txt'), 'mine');
    expect(await refusalOf(() => open(folder))).toMatchObject({
      code: 'spool_unusable',
      found: expect.stringContaining('"notes.txt"'),
    });
    expect((await readdir(folder)).sort()).toEqual(['notes.txt', 'photos']);
    expect(await readFile(join(folder, 'notes.txt'), 'utf8')).toBe('mine');
  });

  it('that are many is refused too, and one with a few strays is not', async () => {
    const folder = await temporaryFolder();
    const names = Array.from({ length: LIMITS.spoolStrayFilesMax + 1 }, (_, at) => `${at}.txt`);
    for (const name of names) await writeFile(join(folder, name), '');
    expect((await refusalOf(() => open(folder))).code).toBe('spool_unusable');
    expect((await readdir(folder)).sort()).toEqual(names);
    await rm(join(folder, '0.txt'));
    await open(folder);
    expect((await readdir(join(folder, 'quarantine'))).filter((name) => name.endsWith('.txt'))).toEqual(names.slice(1));
  });

  it.each(['head.json', 'gaps.json', 'reserve', '0000000000000005.jws', '.0000000000000005.jws.tmp'])(
    'of which %s is of a spool is one: the others go to its quarantine',
    async (name) => {
      const folder = await temporaryFolder();
      for (const each of [name, 'notes.txt']) await writeFile(join(folder, each), '');
      await open(folder);
      expect(await readdir(join(folder, 'quarantine'))).toContain('notes.txt');
    },
  );

  it('is new where there are only other folders, as on a disk of its own', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'lost+found'));
    await open(folder);
    expect(await readdir(folder)).toContain('reserve');
  });
});
