/** From an event to the collector with the real pieces: sealed and posted by itself, verifiable, and before what is less urgent. */

import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DocumentQueue } from '../../src/agent/document-queue.ts';
import type { Pusher, PusherOptions } from '../../src/agent/push.ts';
import { Sealer } from '../../src/agent/seal.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { SIGNATURE_HEADER } from '../../src/protocol/jws.ts';
import { readHeader, verifyDetached } from '../../src/protocol/jws-verify.ts';
import { parseDocument } from '../../src/protocol/parse-document.ts';
import { EVENTS } from '../protocol/record-fixture.ts';
import { buildKey, buildSummary, type TestKey } from '../protocol/summary-fixture.ts';
import { answer, CollectorStub, type Received, type Script } from './collector-stub.ts';
import { buildPusher, to } from './push-rig.ts';
import { GapsStub } from './sealer-stub.ts';
import { open, silentLog, temporaryFolder } from './spool-fixture.ts';
import { bodyOf } from './summary-body.ts';

const FIRST = 1_767_225_600;
const AT_MS = FIRST * 1000 + 1500;

interface Rig {
  queue: DocumentQueue;
  collector: CollectorStub;
  pusher: Pusher;
  key: TestKey;
}

/** What an agent has behind its ring, and a collector that follows the script. The pusher has not begun. */
async function buildRig(script: readonly Script[] = [], others: Partial<PusherOptions> = {}): Promise<Rig> {
  const collector = new CollectorStub(script);
  await collector.listen();
  const spool = await open(await temporaryFolder(), 64 * 1024 * 1024);
  const { pusher } = buildPusher({ ...to(collector.url), spool }, others);
  const key = await buildKey();
  const { pop, boot_id, software } = buildSummary();
  const sealer = new Sealer(spool, key, () => FIRST, { pop, boot_id, software });
  const queue = new DocumentQueue({ sealer, gaps: new GapsStub(), nowUnixMs: () => AT_MS, log: silentLog });
  return { queue, collector, pusher, key };
}

/** What was posted, verified as a collector would. */
async function posted({ body, headers }: Received, key: TestKey) {
  const line = String(headers[SIGNATURE_HEADER]);
  const octets = gunzipSync(body);
  await verifyDetached(line, octets, key.publicKey);
  const { kind } = readHeader(line);
  const document = parseDocument(octets, kind);
  const { sequence, prev } = document.kind === 'record' ? document.record : document.summary;
  const what = document.kind === 'record' ? document.record.event.kind : 'window';
  return { what, sequence, prev, digest: digestOf(octets) };
}

describe('an event', () => {
  it('is with the collector before anything else happens, in one chain with the windows', async () => {
    const { queue, collector, pusher, key } = await buildRig();
    pusher.start();
    queue.addEvent(EVENTS.pair, AT_MS);
    await collector.received(1);
    await queue.addSummary(bodyOf(buildSummary()));
    await collector.received(2);
    queue.addEvent(EVENTS.trace, AT_MS);
    queue.addEvent(EVENTS.clock_step, AT_MS);
    const requests = await collector.received(4);
    const documents = await Promise.all(requests.map((request) => posted(request, key)));
    expect(documents.map(({ what }) => what)).toEqual(['pair', 'window', 'trace', 'clock_step']);
    expect(documents.map(({ sequence }) => sequence - FIRST)).toEqual([0, 1, 2, 3]);
    expect(documents.map(({ prev }) => prev)).toEqual([null, ...documents.slice(0, 3).map(({ digest }) => digest)]);
  });

  it('passes a backlog that waits for its turn', async () => {
    // The backlog's turn never comes.
    const wait = (_ms: number, signal: AbortSignal): Promise<never> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
    const { queue, collector, pusher, key } = await buildRig([], { wait, random: () => 0.5 });
    for (let window = 0; window < 8; window += 1) await queue.addSummary(bodyOf(buildSummary({ peers: [] })));
    pusher.start();
    await collector.received(1);
    queue.addEvent(EVENTS.pair, AT_MS);
    const [newest, event] = await Promise.all((await collector.received(2)).map((request) => posted(request, key)));
    expect(newest).toMatchObject({ what: 'window', sequence: FIRST + 7 });
    expect(event).toMatchObject({ what: 'pair', sequence: FIRST + 8 });
  });

  it('that the collector does not take yet is sent again until it does', async () => {
    const { queue, collector, pusher, key } = await buildRig([answer(503), answer(500)]);
    pusher.start();
    queue.addEvent(EVENTS.instrument, AT_MS);
    const requests = await collector.received(3);
    const documents = await Promise.all(requests.map((request) => posted(request, key)));
    expect(documents.map(({ what, sequence }) => `${what} ${sequence - FIRST}`)).toEqual(Array(3).fill('instrument 0'));
  });
});
