/** The collector over time: restarts, closing, senders that hang up, a disk that is full. */

import { once } from 'node:events';
import http from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { SIGNATURE_HEADER } from '../../src/protocol/jws.ts';
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
