/**
 * A lean agent, for tests that kill it: seals one summary after another, says so after each, and delivers them, until
 * somebody kills it. With "drain" it seals nothing, and ends when all is delivered.
 */

import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { FramedText } from '../../dist/agent/framed-text.js';
import { Pusher } from '../../dist/agent/push.js';
import { Sealer } from '../../dist/agent/seal.js';
import { openSpool } from '../../dist/agent/spool.js';
import { readSigningKey } from '../../dist/config/signing-key.js';
import { digestOf } from '../../dist/protocol/digest.js';

const FIRST_WINDOW_S = 1_767_225_600;
const WINDOW_S = 60;
const WAITING_MAX = 2000;

const [directory, url, mode, keyFile, summaryFile] = process.argv.slice(2);
const log = pino({ level: 'error' }, pino.destination({ dest: 2, sync: true }));
const spool = await openSpool({ directory, maxBytes: 256 * 1024 * 1024, maxAgeH: 24 }, log);
const tls = { ca: null, client: null };
// Without jitter: lives are too short for it.
const pusher = new Pusher({ urls: [url], tls, proxy: null, spool, log, random: () => 0, nowMs: Date.now });
pusher.start();
if (mode === 'drain') {
  while (spool.waiting.count > 0) await sleep(10);
  await pusher.stop();
} else {
  await sealForEver();
}

async function sealForEver() {
  const { sequence: _, prev: __, peers, ...head } = JSON.parse(await readFile(summaryFile, 'utf8'));
  const text = new FramedText();
  text.append(peers.map((peer) => JSON.stringify(peer)).join(','));
  const { pop, software } = head;
  const bootId = randomUUID();
  const key = await readSigningKey(keyFile);
  const sealer = new Sealer(spool, key, () => FIRST_WINDOW_S, { pop, boot_id: bootId, software });
  for (;;) {
    const next = spool.head === null ? FIRST_WINDOW_S : spool.head.sequence + 1;
    const startS = FIRST_WINDOW_S + (next - FIRST_WINDOW_S) * WINDOW_S;
    const window = { start: new Date(startS * 1000).toISOString(), start_unix_s: startS, length_s: WINDOW_S };
    const { sequence, octets } = await sealer.seal({ ...head, boot_id: bootId, window, peers: text });
    // Synchronously: what was reported is out of this process before it goes on.
    writeSync(1, `${sequence} ${digestOf(octets)}\n`);
    while (spool.waiting.count > WAITING_MAX) await sleep(5);
  }
}
