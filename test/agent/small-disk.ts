/** Real file systems for tests that provoke their refusals: small ones in memory, mounted where a test wants them. */

import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Mounts a tmpfs with these options (tmpfs(5)) on a folder, which is made, until the test is over. */
export function mountTmpfs(folder: string, options: string): string {
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'popprobe-test', folder]);
  // Lazily: whatever still has a file open, the test's folder must go.
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
  return folder;
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
