/** What the collector takes on at a time: bounds, what goes first, and the answer to what has to come again. */

import { once } from 'node:events';
import http from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { Admission } from '../../src/collector/admission.ts';
import { SIGNATURE_HEADER } from '../../src/protocol/jws.ts';
import { BACKLOG_PRIORITY, isBacklogPriority, PRIORITY_HEADER } from '../../src/protocol/priority.ts';
import { refusalOf } from '../protocol/refusal.ts';
import { Rig, refusalCode } from './harness.ts';

const { ingestAtOnceMax, ingestBacklogMax, ingestBytesMax, ingestDocumentsMax, ingestWaitMsMax } = LIMITS;

/** Work that ends when the test says so. */
class Bench {
  readonly clock = { ms: 0 };
  readonly admission = new Admission(() => this.clock.ms);
  readonly begun: string[] = [];
  readonly #ends: (() => void)[] = [];

  /** Hands in a document; the promise is of its end. */
  submit(name: string, isBacklog = false, octets = 1): Promise<string> {
    return this.admission.run({ octets, isBacklog }, async () => {
      this.begun.push(name);
      await new Promise<void>((end) => this.#ends.push(end));
      return name;
    });
  }

  submitMany(count: number, isBacklog = false): Promise<string>[] {
    return Array.from({ length: count }, (_, index) => this.submit(`${index}`, isBacklog));
  }

  /** Ends the work that was begun first, and lets what follows from it happen. */
  async end(): Promise<void> {
    await this.settled();
    this.#ends.shift()?.();
    await this.settled();
  }

  /** When all that may begin has begun. */
  async settled(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('admission', () => {
  it('works on so many documents at a time, and begins the next when one has ended, whatever became of it', async () => {
    const bench = new Bench();
    const failing = bench.admission.run({ octets: 1, isBacklog: false }, () => Promise.reject(new Error('bad')));
    await expect(failing).rejects.toThrow('bad');
    const all = bench.submitMany(ingestAtOnceMax + 2);
    await bench.end();
    expect(bench.begun).toHaveLength(ingestAtOnceMax + 1);
    for (let left = all.length; left > 0; left -= 1) await bench.end();
    expect(await Promise.all(all)).toHaveLength(ingestAtOnceMax + 2);
  });

  it('begins with what is sealed now, however long a backlog has waited', async () => {
    const bench = new Bench();
    void bench.submitMany(ingestAtOnceMax);
    void bench.submit('old', true);
    void bench.submit('now');
    await bench.end();
    await bench.end();
    expect(bench.begun.slice(ingestAtOnceMax)).toEqual(['now', 'old']);
  });

  it('has room for so many, of which a backlog may take a part', async () => {
    const bench = new Bench();
    void bench.submitMany(ingestBacklogMax, true);
    expect((await refusalOf(() => bench.submit('one more', true))).code).toBe('busy');
    void bench.submitMany(ingestDocumentsMax - ingestBacklogMax);
    expect((await refusalOf(() => bench.submit('one more'))).code).toBe('busy');
    await bench.end();
    void bench.submit('the next');
  });

  it('has room for so many octets', async () => {
    const bench = new Bench();
    void bench.submit('large', false, ingestBytesMax);
    expect((await refusalOf(() => bench.submit('small'))).code).toBe('busy');
    await bench.end();
    void bench.submit('small');
    await bench.settled();
    expect(bench.begun).toEqual(['large', 'small']);
  });

  it('takes nothing more where documents wait too long: of a backlog no more of it, of what is sealed now nothing', async () => {
    const bench = new Bench();
    void bench.submitMany(ingestAtOnceMax);
    void bench.submit('old', true);
    bench.clock.ms = ingestWaitMsMax + 1;
    expect((await refusalOf(() => bench.submit('older', true))).code).toBe('busy');
    void bench.submit('now');
    bench.clock.ms *= 2;
    bench.clock.ms += 1;
    expect((await refusalOf(() => bench.submit('later'))).code).toBe('busy');
    for (let left = 0; left < 3; left += 1) await bench.end();
    void bench.submit('later', true);
  });

  it('is worth a line in the log from time to time', () => {
    const { admission, clock } = new Bench();
    expect([admission.isNewlyBusy(), admission.isNewlyBusy()]).toEqual([true, false]);
    clock.ms = 3_600_000;
    expect(admission.isNewlyBusy()).toBe(true);
  });
});

describe('the header priority', () => {
  it.each(['u=7', 'u=7, i', 'i,u=7', ' u=7 ', 'i, u=7;x=1'])('%j is that of a backlog', (header) => {
    expect(isBacklogPriority(header)).toBe(true);
  });

  it.each([undefined, '', 'u=6', 'u=70', 'xu=7', 'i', ['u=7', 'u=7']])('%j is not', (header) => {
    expect(isBacklogPriority(header)).toBe(false);
  });
});

describe('a collector with too much to do', () => {
  it('says so with 429 and Retry-After, counts it, stores nothing of it, and takes it later', async () => {
    const rig = await Rig.start();
    onTestFinished(() => rig.end());
    const { octets, signature } = await rig.sign();
    const release = rig.occupy(ingestBacklogMax);
    const headers = { [SIGNATURE_HEADER]: signature, [PRIORITY_HEADER]: BACKLOG_PRIORITY };
    const before = rig.dump();
    const refused = await rig.postBody(octets, headers);
    expect([refused.status, refusalCode(refused.json)]).toEqual([429, 'busy']);
    expect(refused.headers['retry-after']).toBe(String(LIMITS.busyRetryAfterS));
    expect((await rig.get('/healthz')).json).toMatchObject({ refused: { busy: 1 } });
    expect(rig.dump()).toEqual(before);
    release();
    expect((await rig.postBody(octets, headers)).json).toMatchObject({ status: 'accepted' });
  });

  it('does not wait for the body of what it refuses', async () => {
    const rig = await Rig.start();
    onTestFinished(() => rig.end());
    onTestFinished(rig.occupy(ingestDocumentsMax));
    const { signature } = await rig.sign();
    const headers = { 'content-length': 1_000_000, [SIGNATURE_HEADER]: signature, expect: '100-continue' };
    const sender = http.request(`${rig.url}/v1/documents`, { method: 'POST', headers });
    sender.on('error', () => undefined);
    sender.flushHeaders();
    const [response] = (await once(sender, 'response')) as [http.IncomingMessage];
    expect(response.statusCode).toBe(429);
    sender.destroy();
  });
});
