/** Posting documents: what is accepted once, what is refused and why, and that a refusal leaves no trace. */

import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { ACCEPT_ENCODING, compress } from '../../src/protocol/content-encoding.ts';
import { SIGNATURE_HEADER, signDetached } from '../../src/protocol/jws.ts';
import {
  buildCounts,
  buildPath,
  buildPeer,
  buildSummary,
  octetsOf,
  signDocument,
} from '../protocol/summary-fixture.ts';
import { NOW_MS, Rig, refusalCode } from './harness.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.start();
});

afterEach(async () => {
  await rig.end();
});

describe('a signed document', () => {
  it('is accepted and stored as the octets and the line that were sent', async () => {
    const document = await rig.sign();
    const answer = await rig.post(document);
    expect(answer).toMatchObject({
      status: 200,
      json: { status: 'accepted', pop: 'fra', sequence: 1, digest: document.digest },
    });
    const { octets, signature, digest } = document;
    const { kid } = rig.keys.fra;
    const dump = rig.dump();
    expect(dump['document']).toEqual([{ pop: 'fra', sequence: 1, octets, signature, kid, received_at_ms: NOW_MS }]);
    expect(dump['chain_row']).toMatchObject([{ pop: 'fra', sequence: 1, kind: 'summary', digest, prev: null }]);
  });

  it('is accepted compressed, and stored uncompressed', async () => {
    const { octets, signature } = await rig.sign();
    const answer = await rig.postBody(gzipSync(octets), { 'content-encoding': 'gzip', [SIGNATURE_HEADER]: signature });
    expect(answer.status).toBe(200);
    expect(rig.dump()['document']).toMatchObject([{ octets }]);
  });

  it('is answered with the encodings that the next one may have, and so is one that is refused', async () => {
    const document = await rig.sign();
    for (const answer of [await rig.post(document), await rig.postBody('{}')]) {
      expect(answer.headers['accept-encoding']).toBe(ACCEPT_ENCODING);
    }
  });

  it.skipIf(!ACCEPT_ENCODING.includes('zstd'))('is accepted in zstd where this runtime has it', async () => {
    const { octets, signature } = await rig.sign();
    const body = await compress(octets, 'zstd');
    const answer = await rig.postBody(body, { 'content-encoding': 'zstd', [SIGNATURE_HEADER]: signature });
    expect(answer.status).toBe(200);
    expect(rig.dump()['document']).toMatchObject([{ octets }]);
  });

  it.each(['text/plain', 'application/octet-stream', 'application/json; charset=utf-8'])(
    'is accepted whatever its content type says: %s',
    async (type) => {
      const { octets, signature } = await rig.sign();
      const answer = await rig.postBody(octets, { 'content-type': type, [SIGNATURE_HEADER]: signature });
      expect(answer.status).toBe(200);
    },
  );

  it('leaves a row for each peer and each path', async () => {
    const lossy = buildPath({ flow: 2, counts: buildCounts({ received: 590, lost: 8, refused: 2, late: 3 }) });
    const silent = buildPath({ flow: 3, counts: buildCounts({ received: 0, lost: 600 }) });
    const peers = [buildPeer('ams', { paths: [lossy, silent], seconds: 'gb'.repeat(30) }), buildPeer('par')];
    await rig.post(await rig.sign({ peers }));
    const dump = rig.dump();
    expect(dump['peer_row']).toMatchObject([{ peer: 'ams', seconds: 'gb'.repeat(30) }, { peer: 'par' }]);
    expect(dump['minute_row']).toHaveLength(7);
    expect(dump['minute_row']?.slice(0, 2)).toMatchObject([
      { flow: 2, due: 600, received: 590, lost: 8, refused: 2, late: 3, rtt_n: 590, rtt_sum_ns: 590 * 12_000_000 },
      { flow: 3, due: 600, received: 0, lost: 600, rtt_n: 0, rtt_sum_ns: 0, rtt_min_ns: null, histogram: null },
    ]);
  });

  it('is a duplicate the second time, and changes nothing', async () => {
    const document = await rig.sign();
    await rig.post(document);
    const before = rig.dump();
    const answer = await rig.post(document);
    expect(answer).toMatchObject({ status: 200, json: { status: 'duplicate', sequence: 1, digest: document.digest } });
    expect(rig.dump()).toEqual(before);
    expect(rig.counters.snapshot()).toMatchObject({ accepted: 1, duplicate: 1, refused: {} });
  });

  it('is stored once when it is sent many times at once', async () => {
    const document = await rig.sign();
    const answers = await Promise.all(Array.from({ length: 20 }, () => rig.post(document)));
    expect(answers.map((answer) => answer.status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(rig.counters.snapshot()).toMatchObject({ accepted: 1, duplicate: 19 });
    expect(rig.dump()['document']).toHaveLength(1);
  });

  it('is accepted out of order, and with gaps', async () => {
    const [first, second, third, , fifth] = await rig.signChain(5);
    for (const document of [fifth, second, third, first]) {
      if (document === undefined) throw new Error('five documents expected');
      expect(await rig.post(document)).toMatchObject({ status: 200, json: { status: 'accepted' } });
    }
    expect(rig.dump()['pop_state']).toMatchObject([{ pop: 'fra', documents: 4, last_sequence: 5 }]);
  });

  it('has the greatest sequence number a document can have', async () => {
    const sequence = Number.MAX_SAFE_INTEGER;
    await rig.post(await rig.sign({ sequence }));
    expect(rig.dump()['document']).toMatchObject([{ sequence }]);
  });
});

describe('a refusal', () => {
  /** Sends what `send` sends to a collector that already holds documents 1 and 3, and expects no change at all. */
  async function expectRefusal(status: number, code: string, send: () => ReturnType<Rig['post']>): Promise<void> {
    const [first, , third] = await rig.signChain(3);
    if (first === undefined || third === undefined) throw new Error('three documents expected');
    await rig.post(first);
    await rig.post(third);
    const before = rig.dump();
    const answer = await send();
    expect([answer.status, refusalCode(answer.json)]).toEqual([status, code]);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    const { conflict_row: conflicts, conflict_state: state, ...after } = rig.dump();
    expect({ ...after, conflict_row: [], conflict_state: [] }).toEqual(before);
    // What was rightly signed and does not fit is kept beside the chain, and nothing else is.
    expect([conflicts?.length, state?.length]).toEqual(status === 409 ? [1, 1] : [0, 0]);
    expect(rig.counters.snapshot().refused).toEqual({ [code]: 1 });
  }

  it('answers 401 bad_signature to one changed byte', async () => {
    await expectRefusal(401, 'bad_signature', async () => {
      const { octets, signature, digest } = await rig.sign({ sequence: 9 });
      const changed = Buffer.from(octets.toString().replace('"lost":0', '"lost":1'));
      return await rig.post({ octets: changed, signature, digest });
    });
  });

  it('answers 401 bad_signature to the signature of another document', async () => {
    await expectRefusal(401, 'bad_signature', async () => {
      const other = await rig.sign({ sequence: 10 });
      return await rig.post({ ...(await rig.sign({ sequence: 9 })), signature: other.signature });
    });
  });

  it('answers 401 bad_signature when a stranger signs under the name of a registered key', async () => {
    await expectRefusal(401, 'bad_signature', async () => {
      const forger = { ...rig.keys.stranger, kid: rig.keys.fra.kid };
      return await rig.post(await rig.sign({ sequence: 9 }, forger));
    });
  });

  it('answers 401 unknown_key to a key that nobody registered', async () => {
    await expectRefusal(401, 'unknown_key', async () => {
      return await rig.post(await rig.sign({ sequence: 9 }, rig.keys.stranger));
    });
  });

  it('answers 403 key_not_for_pop to the key of another PoP', async () => {
    await expectRefusal(403, 'key_not_for_pop', async () => {
      return await rig.post(await rig.sign({ sequence: 9 }, rig.keys.ams));
    });
  });

  it('answers 409 chain_conflict to other octets under a stored sequence number', async () => {
    await expectRefusal(409, 'chain_conflict', async () => {
      return await rig.post(await rig.sign({ sequence: 1, software: 'popprobe 0.2.0' }));
    });
  });

  it('answers 409 chain_conflict to a prev that is not the stored document before', async () => {
    await expectRefusal(409, 'chain_conflict', async () => {
      const [, , third] = await rig.signChain(3);
      return await rig.post(await rig.sign({ sequence: 4, prev: `${third?.digest.slice(1)}x` }));
    });
  });

  it('answers 409 chain_conflict to a document that the stored one after does not name', async () => {
    await expectRefusal(409, 'chain_conflict', async () => {
      const [first] = await rig.signChain(1);
      const forged = { sequence: 2, prev: first?.digest ?? null, software: 'popprobe 0.2.0' };
      return await rig.post(await rig.sign(forged));
    });
  });

  it('answers 409 chain_conflict to a new start behind a stored document', async () => {
    await expectRefusal(409, 'chain_conflict', async () => await rig.post(await rig.sign({ sequence: 4, prev: null })));
  });

  it('answers 400 malformed without a signature', async () => {
    await expectRefusal(400, 'malformed', async () => await rig.postBody(octetsOf(buildSummary())));
  });

  it('answers 400 malformed to a signature that was sent twice', async () => {
    await expectRefusal(400, 'malformed', async () => {
      const { octets, signature } = await rig.sign({ sequence: 9 });
      return await rig.postBody(octets, { [SIGNATURE_HEADER]: `${signature}, ${signature}` });
    });
  });

  it('answers 400 malformed to an empty body', async () => {
    await expectRefusal(400, 'malformed', async () => await rig.postBody(''));
  });

  it('answers 400 malformed to what is signed but not JSON', async () => {
    await expectRefusal(400, 'malformed', async () => {
      const truncated = (await rig.sign({ sequence: 9 })).octets.subarray(0, 100);
      const signature = signDetached(truncated, rig.keys.fra, 'summary');
      return await rig.postBody(truncated, { [SIGNATURE_HEADER]: signature });
    });
  });

  it('answers 400 malformed to a gzip body that is none, or is cut short', async () => {
    const { octets, signature } = await rig.sign();
    const headers = { 'content-encoding': 'gzip', [SIGNATURE_HEADER]: signature };
    await expectRefusal(400, 'malformed', async () => await rig.postBody(octets, headers));
    const cut = gzipSync(octets).subarray(0, -8);
    expect(refusalCode((await rig.postBody(cut, headers)).json)).toBe('malformed');
  });

  it('answers 400 malformed to an encoding that it does not know, and to an invalid content type', async () => {
    const { octets, signature } = await rig.sign();
    const headers = { [SIGNATURE_HEADER]: signature };
    await expectRefusal(
      400,
      'malformed',
      async () => await rig.postBody(octets, { ...headers, 'content-encoding': 'br' }),
    );
    const answer = await rig.postBody(octets, { ...headers, 'content-type': 'nonsense' });
    expect([answer.status, refusalCode(answer.json)]).toEqual([400, 'malformed']);
  });

  it('answers 413 too_large to a body over the limit, and the sender sees the answer', async () => {
    const { signature } = await rig.sign();
    const body = Buffer.alloc(LIMITS.summaryBodyBytesMax + 1);
    await expectRefusal(413, 'too_large', async () => await rig.postBody(body, { [SIGNATURE_HEADER]: signature }));
  });

  it('answers 413 too_large to a gzip bomb', async () => {
    const { signature } = await rig.sign();
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const headers = { 'content-encoding': 'gzip', [SIGNATURE_HEADER]: signature };
    await expectRefusal(413, 'too_large', async () => await rig.postBody(bomb, headers));
  });

  it('answers 422 schema to an unknown member', async () => {
    await expectRefusal(422, 'schema', async () => {
      return await rig.post(await signDocument({ ...buildSummary({ sequence: 9 }), note: 'x' }, rig.keys.fra));
    });
  });

  it('answers 422 schema when the outcomes do not add up to the probes due', async () => {
    await expectRefusal(422, 'schema', async () => {
      const paths = [buildPath({ counts: buildCounts({ due: 601 }) })];
      return await rig.post(await rig.sign({ sequence: 9, peers: [buildPeer('ams', { paths })] }));
    });
  });
});
