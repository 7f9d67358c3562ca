/** The collector over time: restarts, closing, senders that hang up, a disk that is full. */

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { openDatabase } from '../../src/collector/store/database.ts';
import { SIGNATURE_HEADER } from '../../src/protocol/jws.ts';
import { rootMissing } from '../linux/privileges.ts';
import { buildPeer, type SignedDocument } from '../protocol/summary-fixture.ts';
import { Rig, refusalCode } from './harness.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.start();
});

afterEach(async () => {
  await rig.end();
});

describe('the collector', () => {
  it('keeps everything over a restart, and knows a duplicate again', async () => {
    const [first, second] = await rig.signChain(2);
    if (first === undefined || second === undefined) throw new Error('two documents expected');
    await rig.post(first);
    await rig.post(second);
    const before = rig.dump();
    await rig.close();
    await rig.open();
    expect(rig.dump()).toEqual(before);
    expect(await rig.post(second)).toMatchObject({ status: 200, json: { status: 'duplicate' } });
    expect(rig.dump()).toEqual(before);
  });

  it('finishes a request that has begun before it closes', async () => {
    const { octets, signature } = await rig.sign();
    const headers = { 'content-length': octets.length, [SIGNATURE_HEADER]: signature, expect: '100-continue' };
    const sender = http.request(`${rig.url}/v1/documents`, { method: 'POST', headers });
    sender.flushHeaders();
    await once(sender, 'continue');
    const closed = rig.close();
    sender.end(octets);
    const [response] = (await once(sender, 'response')) as [http.IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(200);
    await closed;
    expect(rig.dump()['document']).toMatchObject([{ octets }]);
  });

  it('survives a sender that hangs up in the middle of a body', async () => {
    const { signature } = await rig.sign();
    const headers = { 'content-length': 1000, [SIGNATURE_HEADER]: signature, expect: '100-continue' };
    const sender = http.request(`${rig.url}/v1/documents`, { method: 'POST', headers });
    sender.on('error', () => undefined);
    sender.flushHeaders();
    await once(sender, 'continue');
    sender.destroy();
    await expect.poll(() => rig.counters.snapshot().refused).toEqual({ malformed: 1 });
    expect((await rig.post(await rig.sign())).status).toBe(200);
  });

  it('answers 503 with Retry-After while the disk is full, keeps nothing of the document, and takes it later', async () => {
    const [first, second] = await rig.signChain(2);
    if (first === undefined || second === undefined) throw new Error('two documents expected');
    await rig.post(first);
    const before = rig.dump();
    await rig.close();
    await rig.open((database) => {
      // SQLite answers SQLITE_FULL beyond this size, as it does when the disk has no more room.
      database.pragma(`max_page_count = ${Number(database.pragma('page_count', { simple: true }))}`);
    });
    const answer = await rig.post(second);
    expect([answer.status, refusalCode(answer.json)]).toEqual([503, 'store_unusable']);
    expect(answer.headers['retry-after']).toBe(String(LIMITS.storeRetryAfterS));
    expect(rig.dump()).toEqual(before);
    await rig.close();
    await rig.open();
    expect(await rig.post(second)).toMatchObject({ status: 200, json: { status: 'accepted' } });
  });
});

const missing = rootMissing();

describe.skipIf(missing !== null)(
  `a disk that is full when the transaction ends${missing === null ? '' : ` (${missing})`}`,
  () => {
    let disk: string;

    beforeEach(async () => {
      disk = await mkdtemp(join(tmpdir(), 'popprobe-disk-'));
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]);
    });

    afterEach(async () => {
      await rig.close();
      execFileSync('umount', [disk]);
      await rm(disk, { recursive: true });
    });

    it('is answered with 503 and never with 200: what was acknowledged is there after a crash', async () => {
      await rig.close();
      await rig.open(() => undefined, join(disk, 'collector.sqlite'));
      // Documents of some 90 kB, a copy of each in the log and one in the database, until the disk has no more room.
      const peers = Array.from({ length: 7 }, (_, index) => buildPeer(`p${index}`));
      const answers: [number, SignedDocument][] = [];
      for (let sequence = 1, prev: string | null = null; sequence <= 60; sequence += 1) {
        const document: SignedDocument = await rig.sign({ sequence, prev, peers });
        prev = document.digest;
        answers.push([(await rig.post(document)).status, document]);
      }
      const statuses = new Set(answers.map(([status]) => status));
      expect(statuses).toEqual(new Set([200, 503]));
      // As a crash leaves them: the files as they are now, without the store having been closed.
      const copy = join(disk, '..', `${basename(disk)}-copy`);
      await cp(disk, copy, { recursive: true });
      const database = openDatabase(join(copy, 'collector.sqlite'));
      const stored = database.prepare<[], { octets: Buffer }>('SELECT octets FROM document ORDER BY sequence').all();
      database.close();
      await rm(copy, { recursive: true });
      const acknowledged = answers.filter(([status]) => status === 200).map(([, { octets }]) => octets);
      expect(stored.map(({ octets }) => octets)).toEqual(acknowledged);
    });
  },
);
