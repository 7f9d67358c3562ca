/** A process that seals documents as fast as it can and says so after each, until somebody kills it. */

import { generateKeyPairSync } from 'node:crypto';
import { writeSync } from 'node:fs';
import { pino } from 'pino';
import { FramedText } from '../../dist/agent/framed-text.js';
import { Sealer } from '../../dist/agent/seal.js';
import { openSpool } from '../../dist/agent/spool.js';
import { digestOf } from '../../dist/protocol/digest.js';

const [directory = '', maxBytes = ''] = process.argv.slice(2);
const spool = await openSpool({ directory, maxBytes: Number(maxBytes), maxAgeH: 1 }, pino({ level: 'silent' }));
const key = { kid: 'k'.repeat(43), privateKey: generateKeyPairSync('ed25519').privateKey };
const recordHead = { pop: 'fra', boot_id: String(process.pid), software: 'popprobe' };
const sealer = new Sealer(spool, key, () => 1_767_225_600, recordHead);
const body = {
  schema: 'popprobe.summary/1',
  pop: 'fra',
  boot_id: String(process.pid),
  padding: 'x'.repeat(200_000),
  peers: new FramedText(),
};

for (;;) {
  const { sequence, octets } = await sealer.seal(body);
  // Synchronously: what was reported is out of this process before it goes on.
  writeSync(1, `${sequence} ${digestOf(octets)}\n`);
}
