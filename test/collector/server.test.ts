/** The server at its edges: unknown routes, bytes that are no HTTP, and arbitrary input never ending in a 5xx. */

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SIGNATURE_HEADER } from '../../src/protocol/jws.ts';
import { signDocument } from '../protocol/summary-fixture.ts';
import { Rig } from './harness.ts';

let rig: Rig;

beforeAll(async () => {
  rig = await Rig.start();
});

afterAll(async () => {
  await rig.end();
});

/** Sends bytes on a bare connection and gives everything that comes back. */
async function exchange(bytes: string | Uint8Array): Promise<string> {
  const { hostname, port } = new URL(rig.url);
  const socket = net.connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.end(bytes);
  return await text(socket);
}

/** Posts with node:http, which lets any octet from 0x20 on into a header, and gives the status. */
async function post(body: Uint8Array, headers: http.OutgoingHttpHeaders): Promise<number | undefined> {
  const sender = http.request(`${rig.url}/v1/documents`, { method: 'POST', headers });
  sender.end(body);
  const [response] = (await once(sender, 'response')) as [http.IncomingMessage];
  response.resume();
  return response.statusCode;
}

const ERROR = { code: expect.any(String) as unknown, message: expect.any(String) as unknown };

describe('an address that does not exist', () => {
  it.each(['/', '/v1/documents', '/api/v1', '/api/v1/documents', '/../../etc/passwd'])(
    'answers 404 in the shape of all errors: GET %s',
    async (path) => {
      const answer = await rig.get(path);
      expect(answer).toMatchObject({ status: 404, json: { error: { ...ERROR, code: 'not_found' } } });
    },
  );

  it('answers 413 too_large when a name in it is longer than any name', async () => {
    const answer = await rig.get(`/api/v1/documents/${'f'.repeat(500)}/1`);
    expect(answer).toMatchObject({ status: 413, json: { error: { ...ERROR, code: 'too_large' } } });
  });

  it('answers 400 malformed when it is no address', async () => {
    expect(await rig.get('/api/%zz')).toMatchObject({ status: 400, json: { error: { ...ERROR, code: 'malformed' } } });
  });
});

describe('what is no HTTP request', () => {
  const cases: [string, string][] = [
    ['a line of noise', 'noise\r\n\r\n'],
    ['two lengths', 'POST /v1/documents HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx'],
    ['headers without end', `GET / HTTP/1.1\r\nhost: x\r\n${SIGNATURE_HEADER}: ${'A'.repeat(20_000)}\r\n\r\n`],
  ];

  it.each(cases)('answers 400 malformed: %s', async (_what, bytes) => {
    const [head = '', body = ''] = (await exchange(bytes)).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(body)).toMatchObject({ error: { ...ERROR, code: 'malformed' } });
  });
});

describe('whatever is posted', () => {
  const headerText = fc.oneof(
    fc.string({ unit: 'grapheme-ascii' }).map((value) => value.trim()),
    fc
      .uint8Array()
      .map((bytes) =>
        Buffer.from(bytes.map((byte) => (byte < 0x20 || byte === 0x7f ? 0x20 : byte))).toString('latin1'),
      ),
    fc.tuple(fc.json(), fc.base64String()).map(([json, tail]) => `${Buffer.from(json).toString('base64url')}..${tail}`),
  );

  it('any bytes with any signature are answered with a refusal of the sender, never with a fault', async () => {
    const before = rig.dump();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), headerText, fc.boolean(), async (bytes, line, compress) => {
        const encoding = compress ? { 'content-encoding': 'gzip' } : {};
        const status = await post(compress ? gzipSync(bytes) : bytes, { [SIGNATURE_HEADER]: line, ...encoding });
        expect(status).toBeGreaterThanOrEqual(400);
        expect(status).toBeLessThan(500);
      }),
    );
    expect(rig.dump()).toEqual(before);
  });

  it('any JSON, signed by a registered key, is answered with a refusal of the sender, never with a fault', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (json) => {
        const answer = await rig.post(await signDocument(json, rig.keys.fra));
        expect(answer.status).toBe(422);
      }),
    );
  });
});
