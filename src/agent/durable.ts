/** Writes a file so that after a crash or a power cut it is there with its whole content, or not at all. */

import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A file of this name is a write that was cut short; whoever opens the folder removes it. */
export function isTemporary(name: string): boolean {
  return name.startsWith('.') && name.endsWith('.tmp');
}

/**
 * Writes `parts` one after another as `directory/name`, readable by the owner only, replacing a file of that name.
 * Once this resolves, the file survives kill -9 and power loss.
 *
 * @throws the file system's own error; the file of that name is then the old one, or already the new one
 */
export async function writeDurably(directory: string, name: string, parts: readonly Uint8Array[]): Promise<void> {
  const temporary = join(directory, `.${name}.tmp`);
  try {
    await writeAndSync(temporary, parts);
    await rename(temporary, join(directory, name));
  } catch (error) {
    // On a full disk the half-written file would hold on to the very space that is missing.
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(directory);
}

/** Makes the names in a folder durable: on Linux fsync of a file does not cover the entry that names it. */
export async function syncFolder(directory: string): Promise<void> {
  const folder = await open(directory, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function writeAndSync(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    for (const part of parts) await file.writeFile(part);
    await file.sync();
  } finally {
    await file.close();
  }
}
