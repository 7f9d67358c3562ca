/** `popprobe verify --from`: whole months out of a real collector, and collectors that leave out, change or make up. */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request as ask, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseMonth } from '../../src/cli/month.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { SIGNATURE_HEADER } from '../../src/protocol/jws.ts';
import type { EventOf, RecordEvent } from '../../src/protocol/record.ts';
import { selfSigned } from '../agent/self-signed.ts';
import { Rig } from '../collector/harness.ts';
import {
  type ChainedDocument,
  chainOf,
  eventLink,
  type Link,
  linkAll,
  storeAll,
  windowLink,
} from '../collector/stored-chain.ts';
import { freePort } from '../e2e/free-port.ts';
import { EVENTS } from '../protocol/record-fixture.ts';
import { refusalOf } from '../protocol/refusal.ts';
import { WINDOW_START_S } from '../protocol/summary-fixture.ts';
import { type Verified, verified, writePublicKey } from './evidence-fixture.ts';

/** Of the fixture's chain: ten minutes before February begins. */
const START_S = Date.UTC(2026, 0, 31, 23, 50) / 1000;

let rig: Rig;
let keyFile: string;

beforeEach(async () => {
  rig = await Rig.start();
  keyFile = await writePublicKey(rig.folder, 'fra', rig.keys.fra);
});

afterEach(async () => {
  await rig.end();
});

function verifiedFrom(url: string, month?: string): Promise<Verified> {
  const when = month === undefined ? {} : { month: parseMonth(month) };
  return verified([], { key: [keyFile], from: new URL(url), pop: 'fra', ...when });
}

/** Changes the collector's database behind its back. */
function tamper(sql: string, ...values: unknown[]): void {
  const database = new Database(rig.file);
  database.pragma('foreign_keys = OFF');
  database.prepare(sql).run(...values);
  database.close();
}

describe('a collector', () => {
  it('with more documents than a page holds is verified whole', async () => {
    const n = LIMITS.listedDocumentsMax + 205;
    const chain = await chainOf(rig.keys.fra, n);
    await storeAll(rig, chain);
    const { isValid, lines } = await verifiedFrom(rig.url);
    expect(lines.at(-1)).toBe(`verdict: valid, ${n} documents of fra`);
    expect(isValid).toBe(true);
    expect(lines).toContain(`  head of the chain: document ${n}, SHA-256 ${chain.at(-1)?.digest}`);
  });

  it('gives the program the same verdict, and another one when nothing is stored', async () => {
    await storeAll(rig, await chainOf(rig.keys.fra, 300));
    const run = promisify(execFile);
    const args = ['dist/main.js', 'verify', '--from', rig.url, '--key', keyFile, '--json', '--pop'];
    const { stdout } = await run(process.execPath, [...args, 'fra']);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'valid', pops: [{ documents: 300 }], source: [`${rig.url}/`] });
    const failed = await run(process.execPath, [...args, 'par']).catch((error: unknown) => error);
    const { code, stdout: verdict } = failed as { code: number; stdout: string };
    expect([code, JSON.parse(verdict)]).toEqual([
      1,
      expect.objectContaining({
        verdict: 'not_valid',
        faults: [expect.objectContaining({ code: 'nothing_to_verify' })],
      }),
    ]);
  });

  it('behind a proxy with a certificate of its own is trusted with NODE_EXTRA_CA_CERTS, and not without', async () => {
    await storeAll(rig, await chainOf(rig.keys.fra, 30));
    const { key, cert, certFile } = await selfSigned();
    const proxy = createSecureServer({ key, cert }, (request, response) => {
      ask(rig.url + (request.url ?? ''), (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      }).end();
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const url = `https://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const run = promisify(execFile);
    const args = ['dist/main.js', 'verify', '--from', url, '--key', keyFile, '--pop', 'fra'];
    const { stdout } = await run(process.execPath, args, { env: { ...process.env, NODE_EXTRA_CA_CERTS: certFile } });
    expect(stdout).toMatch(/\nverdict: valid, 30 documents of fra\n$/);
    const failed = await run(process.execPath, args).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('[collector_unreachable]') });
    proxy.close();
  });

  it('behind a path of a proxy is asked under that path', async () => {
    const asked: (string | undefined)[] = [];
    const server = await serve((request, response) => {
      asked.push(request.url);
      response.end(JSON.stringify({ pop: 'fra', documents: [], next_after: null }));
    });
    expect((await verifiedFrom(`${urlOf(server)}/sla/`, '2026-02')).codes).toEqual(['nothing_to_verify']);
    const [from, to] = [Date.UTC(2026, 1) / 1000, Date.UTC(2026, 2) / 1000];
    expect(asked).toEqual([`/sla/api/v1/documents/fra?from=${from}&to=${to}&after=0`]);
    server.close();
  });
});

describe('a month', () => {
  beforeEach(async () => {
    await storeAll(rig, await chainOf(rig.keys.fra, 20, { startS: START_S }));
  });

  it('has the windows that start in it, and the verdict says what no document covers', async () => {
    const january = await verifiedFrom(rig.url, '2026-01');
    expect(january.isValid).toBe(true);
    expect(january.lines).toContain(
      '  windows: 2026-01-31T23:50:00.000Z to 2026-02-01T00:00:00.000Z, runs of the agent: 1, events: 0',
    );
    expect(january.lines.filter((line) => line.startsWith('note: '))).toEqual([
      `note: fra: no document covers the first ${31 * 86_400 - 600} s of 2026-01`,
    ]);
    const february = await verifiedFrom(rig.url, '2026-02');
    expect(february.lines[1]).toBe(`source: ${rig.url}/, month 2026-02 (UTC)`);
    expect(february.lines).toContain(
      '  windows: 2026-02-01T00:00:00.000Z to 2026-02-01T00:10:00.000Z, runs of the agent: 1, events: 0',
    );
    // Up to now, not to the end of a month that is not over.
    expect(february.lines.filter((line) => line.startsWith('note: '))).toEqual([
      `note: fra: no document covers 2026-02 from 2026-02-01T00:10:00.000Z on (${14 * 86_400 + 43_200 - 600} s)`,
    ]);
    expect(february.lines.at(-1)).toBe('verdict: valid, 10 documents of fra');
  });

  it('without documents is nothing to verify', async () => {
    expect((await verifiedFrom(rig.url, '2025-12')).codes).toEqual(['nothing_to_verify']);
  });

  it('ends in leap years and at the end of the year where UTC does', () => {
    const days = ({ fromS, toS }: ReturnType<typeof parseMonth>): number => (toS - fromS) / 86_400;
    expect(['2024-02', '2026-02', '2026-12'].map((name) => days(parseMonth(name)))).toEqual([29, 28, 31]);
    expect(parseMonth('2026-12').toS).toBe(parseMonth('2027-01').fromS);
  });
});

describe('a month with events at its edges', () => {
  const FEBRUARY_S = Date.UTC(2026, 1) / 1000;
  /** An event so many seconds after February has begun. */
  const eventAt = (offsetS: number, what: RecordEvent = EVENTS.pair): Link =>
    eventLink(what, FEBRUARY_S - WINDOW_START_S + offsetS);
  /** The window that starts so many minutes after February has begun. */
  const windowAt = (minutes: number): Link => windowLink((FEBRUARY_S - WINDOW_START_S) / 60 + minutes);

  it('has the documents between, whatever month they are of', async () => {
    // The last window of January is sealed when February has begun, and an event has come before.
    await storeAll(
      rig,
      await linkAll(rig.keys.fra, [
        windowAt(-2),
        eventAt(-5),
        eventAt(1),
        windowAt(-1),
        eventAt(70),
        windowAt(0),
        windowAt(1),
      ]),
    );
    const january = await verifiedFrom(rig.url, '2026-01');
    expect(january.codes).toEqual([]);
    expect(january.lines[2]).toBe('PoP fra: 4 documents, 1 (where a chain begins) to 4');
    const february = await verifiedFrom(rig.url, '2026-02');
    expect(february.codes).toEqual([]);
    expect(february.lines[2]).toMatch(/^PoP fra: 5 documents, 3 \(after the one with digest .*\) to 7$/);
  });

  it('that was given up in part is declared by records of the month after', async () => {
    const gap = { ...EVENTS.gap, ranges: [[2, 3]] } as EventOf<'gap'>;
    const chain = await linkAll(rig.keys.fra, [
      ...[-5, -4, -3, -2, -1, 0, 1].map((minutes) => windowAt(minutes)),
      eventAt(121, gap),
      windowAt(2),
    ]);
    await storeAll(
      rig,
      chain.filter(({ sequence }) => sequence !== 2 && sequence !== 3),
    );
    const january = await verifiedFrom(rig.url, '2026-01');
    expect(january.codes).toEqual([]);
    expect(january.lines[2]).toBe('PoP fra: 3 documents, 1 (where a chain begins) to 5');
    expect(january.lines).toContain('note: fra: documents 2 to 3 were given up (spool_full), as document 8 declares');
    expect(january.lines).toContain('note: fra: later records, read for what they declare: 1');
    expect(january.lines.find((line) => line.startsWith('key: '))).toMatch(/signed 3 documents$/);
    // The collector says so; whether the PoP does is in the signed record alone.
    tamper("UPDATE declared_row SET from_sequence = 1, reason = 'dropped'");
    expect((await verifiedFrom(rig.url, '2026-01')).lines).toContain(
      'note: fra: documents 2 to 3 were given up (spool_full), as document 8 declares',
    );
    tamper('UPDATE document SET octets = ? WHERE sequence = 8', Buffer.from('{}'));
    expect((await verifiedFrom(rig.url, '2026-01')).codes).toEqual(['bad_signature', 'documents_missing']);
  });
});

describe('a collector that was tampered with', () => {
  beforeEach(async () => {
    await storeAll(rig, await chainOf(rig.keys.fra, 20));
  });

  it('withholds a document', async () => {
    tamper('DELETE FROM chain_row WHERE sequence = 7');
    expect((await verifiedFrom(rig.url)).codes).toEqual(['documents_missing']);
  });

  it('has other octets than it says', async () => {
    tamper('UPDATE document SET octets = ? WHERE sequence = 7', Buffer.from('{}'));
    expect((await verifiedFrom(rig.url)).codes).toEqual(['digest_mismatch', 'documents_missing']);
  });

  it('has other octets, and says so', async () => {
    const octets = Buffer.from('{}');
    tamper('UPDATE document SET octets = ? WHERE sequence = 7', octets);
    tamper('UPDATE chain_row SET digest = ? WHERE sequence = 7', digestOf(octets));
    expect((await verifiedFrom(rig.url)).codes).toEqual(['bad_signature', 'documents_missing']);
  });

  it('has the documents of a PoP under the name of another', async () => {
    for (const table of ['document', 'chain_row']) tamper(`UPDATE ${table} SET pop = 'par'`);
    const { codes } = await verified([], { key: [keyFile], from: new URL(rig.url), pop: 'par' });
    expect(codes).toEqual(Array.from({ length: 20 }, () => 'key_not_for_pop'));
  });
});

async function serve(listener: RequestListener): Promise<Server> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('something that only says that it is a collector', () => {
  let server: Server;
  let chain: ChainedDocument[];
  /** What it hands out under a number, and what its list says. */
  let handOut: (sequence: number) => ChainedDocument | undefined;
  let nextAfter: number | null;

  beforeEach(async () => {
    chain = await chainOf(rig.keys.fra, 3);
    handOut = (sequence) => chain[sequence - 1];
    nextAfter = null;
    server = await serve((request, response) => {
      const [, sequence] = /\/fra\/(\d+)$/.exec(request.url ?? '') ?? [];
      if (sequence === undefined) {
        const documents = chain.map(({ sequence: number, digest }, index) => ({
          kind: 'summary',
          sequence: number,
          digest,
          window_start_unix_s: index * 60,
          window_length_s: 60,
        }));
        response.end(JSON.stringify({ pop: 'fra', documents, next_after: nextAfter }));
        return;
      }
      const document = handOut(Number(sequence));
      if (document === undefined) {
        const error = { code: 'not_found', message: 'm', expected: 'a document', found: 'none', remedy: 'r' };
        response.writeHead(404).end(JSON.stringify({ error }));
        return;
      }
      const { signature, octets } = document;
      response.writeHead(200, signature === '' ? {} : { [SIGNATURE_HEADER]: signature }).end(octets);
    });
  });

  afterEach(() => {
    server.close();
  });

  it('is believed as far as its documents go', async () => {
    expect((await verifiedFrom(urlOf(server))).isValid).toBe(true);
  });

  it('lists a document that it does not hand out', async () => {
    handOut = (sequence) => (sequence === 2 ? undefined : chain[sequence - 1]);
    expect((await verifiedFrom(urlOf(server))).codes).toEqual(['not_found', 'documents_missing']);
  });

  it('hands out a document without its signature', async () => {
    handOut = (sequence) => chain.map((document) => ({ ...document, signature: '' }))[sequence - 1];
    expect((await verifiedFrom(urlOf(server))).codes).toEqual(['malformed', 'malformed', 'malformed']);
  });

  it('hands out a document under the number of another', async () => {
    const [first, , third] = chain;
    if (!first || !third) throw new Error('three documents expected');
    handOut = (sequence) => [first, third, third][sequence - 1];
    expect((await verifiedFrom(urlOf(server))).codes).toEqual(['digest_mismatch', 'documents_missing']);
    chain = [first, { ...third, sequence: 2 }, third];
    expect((await verifiedFrom(urlOf(server))).codes).toEqual(['document_misnamed', 'documents_missing']);
  });

  it('hands out more than a document can be', async () => {
    const endless = Buffer.alloc(LIMITS.summaryBytesMax + 1, ' ');
    handOut = (sequence) => chain.map((document) => ({ ...document, octets: endless }))[sequence - 1];
    expect((await verifiedFrom(urlOf(server))).codes).toEqual(['too_large', 'too_large', 'too_large']);
  });

  it.each([1, 2, 99])('has a list that does not go on where it says: after %i', async (after) => {
    nextAfter = after;
    expect((await refusalOf(() => verifiedFrom(urlOf(server)))).code).toBe('malformed');
  });

  it('has a list that is in no order', async () => {
    chain = chain.toReversed();
    expect((await refusalOf(() => verifiedFrom(urlOf(server)))).code).toBe('malformed');
  });

  it('is another server', async () => {
    const other = await serve((_request, response) => response.writeHead(404).end('<html>'));
    expect((await refusalOf(() => verifiedFrom(urlOf(other)))).code).toBe('collector_unreachable');
    other.close();
    const lines = await serve((_request, response) => response.end('[]'));
    expect((await refusalOf(() => verifiedFrom(urlOf(lines)))).code).toBe('malformed');
    lines.close();
  });

  it('is not there, or breaks off', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    expect((await refusalOf(() => verifiedFrom(nobody))).code).toBe('collector_unreachable');
    handOut = () => {
      server.closeAllConnections();
      return chain[0];
    };
    expect((await refusalOf(() => verifiedFrom(urlOf(server)))).code).toBe('collector_unreachable');
  });

  it('tells of its own trouble', async () => {
    const error = { code: 'store_unusable', message: 'm', expected: 'e', found: 'f', remedy: 'r' };
    const ill = await serve((_request, response) => response.writeHead(503).end(JSON.stringify({ error })));
    expect((await refusalOf(() => verifiedFrom(urlOf(ill)))).code).toBe('store_unusable');
    ill.close();
  });
});
