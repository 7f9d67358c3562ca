/** A process that seals a document, changes its key and seals again, as fast as it can, until somebody kills it. */

import { createPrivateKey } from 'node:crypto';
import { readFileSync, writeSync } from 'node:fs';
import { pino } from 'pino';
import { Sealer } from '../../dist/agent/seal.js';
import { openSpool } from '../../dist/agent/spool.js';

const [directory = '', keysFile = ''] = process.argv.slice(2);
const keys = JSON.parse(readFileSync(keysFile, 'utf8')).map(({ kid, pem }) => ({
  kid,
  privateKey: createPrivateKey(pem),
}));
const spool = await openSpool({ directory, maxBytes: 64 * 1024 * 1024 }, pino({ level: 'silent' }));
const recordHead = { pop: 'fra', boot_id: '6f1c8f6e-3f0a-4c44-9a37-5d3a5b8f0d11', software: 'popprobe 0.1.0' };
const sealer = new Sealer(spool, keys[0], () => 1_767_225_600, recordHead);

for (let document = 0; ; document += 1) {
  // As after a restart: only the chain says how far the change of keys has come.
  const at = Math.max(
    0,
    keys.findIndex(({ kid }) => kid === spool.head?.nextKid),
  );
  await sealer.use({ key: keys[at], next: document % 2 === 0 ? (keys[at + 1] ?? null) : null });
  const { sequence } = await sealer.sealRecord({ kind: 'clock_step', step_ns: document + 1 }, 1_767_225_600_000);
  // Synchronously: what was reported is out of this process before it goes on.
  writeSync(1, `${sequence}\n`);
}
