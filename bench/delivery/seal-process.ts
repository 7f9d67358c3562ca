/** Child program: seals summaries of a large mesh into a spool on a real disk, and says how long each took. */

import { mkdirSync } from 'node:fs';
import { pino } from 'pino';
import { FramedText } from '../../src/agent/framed-text.ts';
import { Sealer } from '../../src/agent/seal.ts';
import { openSpool } from '../../src/agent/spool.ts';
import { readSigningKey } from '../../src/config/signing-key.ts';
import { SETTINGS } from '../settings.ts';
import { buildPeer, buildSummary } from '../../test/protocol/summary-fixture.ts';

export interface SealRequest {
  directory: string;
  keyFile: string;
}

export interface SealReport {
  /** From the call of the sealer until the document is on the disk. */
  sealMs: number[];
  /** Octets of a document. */
  bytes: number;
}

async function run({ directory, keyFile }: SealRequest): Promise<SealReport> {
  const { peers: count, warmUp, documents, spool: limits } = SETTINGS.delivery;
  mkdirSync(directory, { mode: 0o700 });
  const spool = await openSpool({ directory, ...limits }, pino({ level: 'silent' }));
  const peers = Array.from({ length: count }, (_, index) => JSON.stringify(buildPeer(`peer-${index + 1}`)));
  const { sequence: _, prev: __, peers: ___, ...head } = buildSummary();
  const { pop, boot_id, software } = head;
  const sealer = new Sealer(spool, await readSigningKey(keyFile), () => 1, { pop, boot_id, software });
  const text = new FramedText();
  text.append(peers.join(','));
  const sealMs: number[] = [];
  let bytes = 0;
  for (let sealed = 0; sealed < warmUp + documents; sealed += 1) {
    const fromMs = performance.now();
    const document = await sealer.seal({ ...head, peers: text });
    if (sealed >= warmUp) sealMs.push(performance.now() - fromMs);
    bytes = document.octets.length;
    await spool.delivered(document.sequence);
  }
  return { sealMs, bytes };
}

process.once('message', (request) => {
  run(request as SealRequest).then(
    (report) => process.send?.(report, () => process.disconnect()),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
