/** Folders are made with all that they lie in, or the call says why not and ends. */

import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeFolder } from '../../src/config/make-folder.ts';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'popprobe-folder-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe('a folder', () => {
  it('is made with all above it, with the mode asked for, once', () => {
    const folder = temporaryFolder();
    expect(makeFolder(join(folder, 'a/b/c'), 0o700)).toBe(true);
    expect(['a', 'a/b', 'a/b/c'].map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([448, 448, 448]);
    expect(makeFolder(join(folder, 'a/b/c'), 0o700)).toBe(false);
  });

  it('that is there behind a link is taken as it is', () => {
    const folder = temporaryFolder();
    symlinkSync(folder, join(folder, 'link'));
    expect(makeFolder(join(folder, 'link'))).toBe(false);
  });

  it('is not made where a file has its name, or one above it', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    expect(() => makeFolder(join(folder, 'file'))).toThrow(/EEXIST/);
    expect(() => makeFolder(join(folder, 'file/a'))).toThrow(/ENOTDIR/);
  });

  it('is not made behind a link to nowhere', () => {
    const folder = temporaryFolder();
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link'));
    expect(() => makeFolder(join(folder, 'link'))).toThrow(/ENOENT/);
  });

  it.skipIf(!existsSync('/proc/self'))('is not made in /proc, which says so again and again', () => {
    expect(() => makeFolder('/proc/popprobe')).toThrow(/ENOENT/);
    expect(() => makeFolder('/proc/popprobe/spool')).toThrow(/ENOENT/);
  });
});
