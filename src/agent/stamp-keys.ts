/** The keys of this PoP's authenticated STAMP sessions, read once at start. */

import type { MeshConfig, MeshPop } from '../config/mesh-config.ts';
import { readStampKeys } from '../config/stamp-keys.ts';

export interface StampKeys {
  /** Keys of the session from one PoP to another, the one that signs first; none where none was read. */
  of(from: string, to: string): Uint8Array[];
}

/**
 * Reads the keys of every session from and to the PoP; none for a mesh without authenticated classes.
 * Rejects with key_unreadable, key_exposed or key_invalid.
 */
export async function loadStampKeys(directory: string | null, mesh: MeshConfig, self: MeshPop): Promise<StampKeys> {
  const keys = new Map<string, Uint8Array[]>();
  const isNeeded = mesh.probes.some((probeClass) => probeClass.kind === 'stamp' && probeClass.authenticated);
  if (directory !== null && isNeeded) {
    for (const { name, id } of mesh.pops) {
      if (id === self.id) continue;
      for (const [from, to] of [
        [self.name, name],
        [name, self.name],
      ] as const) {
        keys.set(`${from} ${to}`, await readStampKeys(directory, from, to));
      }
    }
  }
  return { of: (from, to) => keys.get(`${from} ${to}`) ?? [] };
}
