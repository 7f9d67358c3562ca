/** Delivery over real TLS: whom the agent trusts, who it says it is, and what it says when that does not do. */

import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { PusherOptions } from '../../src/agent/push.ts';
import { toolsMissing } from '../linux/privileges.ts';
import { Authority, type Issued } from './authority.ts';
import { accept, CollectorStub, type Script } from './collector-stub.ts';
import { buildPusher, complaints, NO_TLS, to } from './push-rig.ts';
import { recordingLog, spoolOf, temporaryFolder } from './spool-fixture.ts';

const missing = toolsMissing('openssl');

describe.skipIf(missing)(`a collector behind TLS (${missing ?? 'with openssl'})`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'popprobe-tls-'));
  let own: Authority;
  let foreign: Authority;
  let server: Issued;

  beforeAll(() => {
    own = new Authority(folder, 'own');
    foreign = new Authority(folder, 'foreign');
    server = own.issue('collector', 'IP:127.0.0.1');
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** Lets a pusher try until it waits for the third time, and tells what it said and still holds. */
  async function refusedBy({ url }: { url: string }, tls: PusherOptions['tls'] = { ...NO_TLS, ca: own.certificate }) {
    const spool = await spoolOf(await temporaryFolder(), [1]);
    const { log, lines } = recordingLog();
    let waits = 0;
    const events = new EventEmitter();
    const third = once(events, 'third wait');
    const wait = async (_ms: number, signal: AbortSignal): Promise<void> => {
      waits += 1;
      if (waits < 3) return;
      events.emit('third wait');
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
    };
    const { pusher } = buildPusher({ ...to(url), tls, spool, log }, { wait });
    pusher.start();
    await third;
    await pusher.stop();
    const { failuresInARow, lastError } = pusher.status();
    return { failuresInARow, lastError, complaints: complaints(lines), kept: spool.status().documents };
  }

  async function listening(tls: object, script: readonly Script[] = []): Promise<CollectorStub> {
    const collector = new CollectorStub(script, tls);
    await collector.listen();
    return collector;
  }

  it('is trusted with its authority configured', async () => {
    const collector = await listening({ key: server.key, cert: server.cert });
    const spool = await spoolOf(await temporaryFolder(), [1]);
    const { pusher } = buildPusher({ ...to(collector.url), tls: { ...NO_TLS, ca: own.certificate }, spool });
    pusher.start();
    await collector.received(1);
    await pusher.stop();
    expect(pusher.status()).toMatchObject({ lastAcceptedSequence: 1, lastError: null });
    expect(spool.status().documents).toBe(0);
  });

  it.each([
    ['of a foreign authority', () => foreign.issue('a', 'IP:127.0.0.1'), /UNABLE_TO_VERIFY_LEAF.*collector\.ca_file/],
    ['that has expired', () => own.issue('b', 'IP:127.0.0.1', '20210101'), /^CERT_HAS_EXPIRED: .*clock/],
    ['that begins later', () => own.issue('d', 'IP:127.0.0.1', '20490101', '20480101'), /^CERT_NOT_YET_VALID: .*clock/],
    ['for another name', () => own.issue('c', 'DNS:collector.example.net'), /ALTNAME_INVALID: .*another name/],
  ])(
    'with a certificate %s is refused in one line, and the document kept and tried again',
    async (_, issue, reason) => {
      const { key, cert } = issue();
      const collector = await listening({ key, cert });
      const refused = await refusedBy(collector);
      expect(refused).toMatchObject({ failuresInARow: 3, lastError: expect.stringMatching(reason), kept: 1 });
      expect(refused.complaints).toEqual([`cannot deliver, will try again: ${refused.lastError}`]);
      expect(refused.lastError).not.toContain('\n');
      expect(collector.requests).toEqual([]);
    },
  );

  it('is not trusted by the public authorities when it has one of its own', async () => {
    const refused = await refusedBy(await listening({ key: server.key, cert: server.cert }), NO_TLS);
    expect(refused.lastError).toMatch(/^UNABLE_TO_VERIFY_LEAF_SIGNATURE: .*collector\.ca_file/);
    expect(refused.kept).toBe(1);
  });

  describe('that asks who the agent is', () => {
    const names: string[] = [];
    const accepting: Script = (response, received) => {
      names.push((response.socket as TLSSocket).getPeerCertificate().subject.CN as string);
      accept(response, received);
    };
    const asking = () =>
      listening(
        { key: server.key, cert: server.cert, ca: own.certificate, requestCert: true, rejectUnauthorized: true },
        [accepting],
      );

    it('accepts the documents of an agent with a certificate of its authority', async () => {
      const collector = await asking();
      const { cert, key } = own.issue('hkg1', 'DNS:hkg1');
      const spool = await spoolOf(await temporaryFolder(), [1]);
      const tls = { ca: own.certificate, client: { cert, key } };
      const { pusher } = buildPusher({ ...to(collector.url), tls, spool });
      pusher.start();
      await collector.received(1);
      await pusher.stop();
      expect(pusher.status()).toMatchObject({ lastAcceptedSequence: 1, lastError: null });
      expect(names).toEqual(['hkg1']);
    });

    it('gets no document from an agent without a certificate, or with a foreign one', async () => {
      const { cert, key } = foreign.issue('stranger', 'DNS:hkg1');
      for (const client of [null, { cert, key }]) {
        const collector = await asking();
        const refused = await refusedBy(collector, { ca: own.certificate, client });
        expect(refused).toMatchObject({ failuresInARow: 3, kept: 1 });
        expect(refused.complaints).toHaveLength(1);
        expect(collector.requests).toEqual([]);
      }
    });

    it.each(['-tls1_2', '-tls1_3'])(
      'points at our certificate when it is OpenSSL and refuses us (%s)',
      async (version) => {
        const url = await openssl(version);
        const { cert, key } = foreign.issue(`stranger${version}`, 'DNS:hkg1');
        for (const client of [null, { cert, key }]) {
          const refused = await refusedBy({ url }, { ca: own.certificate, client });
          expect(refused.lastError).toMatch(/is collector\.client_certificate right\?$/);
          expect(refused.complaints).toHaveLength(1);
        }
      },
    );

    /** A server of OpenSSL's own that asks for a certificate; Node.js' hangs up without a word. */
    async function openssl(version: string): Promise<string> {
      const pair = ['-cert', server.certificateFile, '-key', server.keyFile, '-CAfile', own.certificateFile];
      const demands = ['-Verify', '1', '-verify_return_error', '-www', version];
      const child = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', ...pair, ...demands], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      onTestFinished(() => void child.kill());
      for await (const line of createInterface({ input: child.stdout })) {
        const port = /^ACCEPT .*:(\d+)$/.exec(line)?.[1];
        if (port !== undefined) return `https://127.0.0.1:${port}`;
      }
      throw new Error('openssl s_server does not say where it listens');
    }
  });
});
