/** Spools of real, signed documents: what an agent leaves on its disk while its collector is away. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeDocument, documentName, encodeHead, HEAD_FILE } from '../../src/agent/spool-file.ts';
import { writeKeyPair } from '../../src/config/key-pair.ts';
import { readSigningKey } from '../../src/config/signing-key.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { signDetached, type SigningKey } from '../../src/protocol/jws.ts';
import type { Summary } from '../../src/protocol/summary.ts';
import { buildPath, buildPeer, buildSummary, WINDOW_START_S } from '../../test/protocol/summary-fixture.ts';

const WINDOW_S = 60;

/** The mesh of these documents: two peers of one STAMP flow and one ICMP path each. */
const PEERS = ['peer-1', 'peer-2'].map((peer) =>
  buildPeer(peer, { paths: [buildPath({ flow: 0 }), buildPath({ class: 'echo', kind: 'icmp', size_bytes: 56 })] }),
);

/** The octets of the document with this number; its window follows from it. */
export function documentOf(pop: string, sequence: number, prev: string | null): Buffer {
  const start_unix_s = WINDOW_START_S + sequence * WINDOW_S;
  const window = { start: new Date(start_unix_s * 1000).toISOString(), start_unix_s, length_s: WINDOW_S };
  return Buffer.from(
    JSON.stringify(buildSummary({ pop, sequence, prev, window, peers: PEERS } satisfies Partial<Summary>)),
  );
}

/** The PoP's key, made now: its halves are files in the folder. */
export async function makeKey(folder: string, pop: string): Promise<SigningKey> {
  const { keyFile } = await writeKeyPair(folder, pop);
  return readSigningKey(keyFile);
}

/** Fills a spool with documents 1 to `count`, without waiting for the disk. Returns the octets of one of them. */
export function fillSpool(directory: string, pop: string, key: SigningKey, count: number): number {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  let digest: string | null = null;
  let bytes = 0;
  for (let sequence = 1; sequence <= count; sequence += 1) {
    const octets = documentOf(pop, sequence, digest);
    const document = { sequence, octets, signature: signDetached(octets, key, 'summary') };
    writeFileSync(join(directory, documentName(sequence)), Buffer.concat(encodeDocument(document)), { mode: 0o600 });
    digest = digestOf(octets);
    bytes = octets.length;
  }
  if (digest !== null) writeFileSync(join(directory, HEAD_FILE), encodeHead({ sequence: count, digest }));
  return bytes;
}
