/** Real file systems for tests that provoke their refusals: small ones in memory, mounted where a test wants them. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const IMAGE_BYTES = 16 * 1024 * 1024;
/** Little more than mkfs.btrfs asks for at least, nothing of it taken until it is written. */
const BTRFS_BYTES = 128 * 1024 * 1024;

/** Mounts a tmpfs with these options (tmpfs(5)) on a folder, which is made, until the test is over. */
export function mountTmpfs(folder: string, options: string): string {
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'popprobe-test', folder]);
  // Lazily: whatever still has a file open, the test's folder must go.
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
  return folder;
}

/** An ext4 in this file of 16 MB, of which nothing takes room until it is written. */
export function makeImage(image: string): void {
  writeFileSync(image, '');
  truncateSync(image, IMAGE_BYTES);
  execFileSync('mkfs.ext4', ['-q', '-O', '^has_journal', '-m', '0', image]);
}

/** Mounts a btrfs of its own on a folder, and returns a subvolume in it with a quota of `bytes`; until the test is over. */
export function mountWithQuota(folder: string, bytes: number): string {
  const image = `${folder}.btrfs`;
  const volume = join(folder, 'volume');
  writeFileSync(image, '');
  truncateSync(image, BTRFS_BYTES);
  execFileSync('mkfs.btrfs', ['--quiet', '--mixed', image]);
  mountImage(image, folder);
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
  for (const command of [
    ['subvolume', 'create', volume],
    ['quota', 'enable', folder],
    ['qgroup', 'limit', String(bytes), volume],
  ]) {
    execFileSync('btrfs', command);
  }
  return volume;
}

export function mountImage(image: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-o', 'loop', image, folder]);
}

/** Cuts the image in half: what was in the second one, the disk cannot read any more. */
export function cutImage(image: string): void {
  truncateSync(image, IMAGE_BYTES / 2);
}

/** Writes until the disk takes no more, and returns the file. */
export async function fill(disk: string): Promise<string> {
  const file = join(disk, 'ballast');
  await writeFile(file, '');
  for (const bytes of [65_536, 4096, 1]) {
    for (;;) {
      try {
        await writeFile(file, Buffer.alloc(bytes), { flag: 'a' });
      } catch {
        break;
      }
    }
  }
  return file;
}

/** Shows a folder at another place as well, until `unmount`. */
export function bind(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  execFileSync('mount', ['--bind', from, to]);
}

export function unmount(folder: string): void {
  execFileSync('umount', [folder]);
}

/** Makes a mounted file system refuse writes, or take them again. */
export function remount(folder: string, how: 'ro' | 'rw'): void {
  execFileSync('mount', ['-o', `remount,${how}`, folder]);
}
