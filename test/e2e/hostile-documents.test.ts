/** The built collector and whatever a sender can try: its database stays as it was, octet for octet, and it goes on. */

import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { readSigningKey, type SigningKey } from '../../src/config/signing-key.ts';
import { DOCUMENTS_ROUTE } from '../../src/protocol/document-kind.ts';
import { SIGNATURE_HEADER, signDetached } from '../../src/protocol/jws.ts';
import type { Summary } from '../../src/protocol/summary.ts';
import { type ChainedDocument, eventLink, linkAll, smallSummary, windowLink } from '../collector/stored-chain.ts';
import { EVENTS } from '../protocol/record-fixture.ts';
import { octetsOf, signDocument } from '../protocol/summary-fixture.ts';
import { MeshRig, type Program } from './mesh-rig.ts';

const BOMB_BYTES = 256 * 1024 * 1024;
/** What keeps documents that were rightly signed and do not fit, beside the chain. */
const CONFLICT_TABLES: ReadonlySet<string> = new Set(['conflict_row', 'conflict_state']);

type Sent = { octets: Uint8Array; signature: string };
type Tables = Map<string, unknown[]>;

let rig: MeshRig;
let collector: Program;
/** `ended` and `revoked` are keys of `fra` too, `stranger` is nobody's. */
let keys: Record<'fra' | 'ended' | 'revoked' | 'ams' | 'stranger', SigningKey>;
let chain: ChainedDocument[];

beforeAll(async () => {
  rig = await MeshRig.create(['fra', 'ended', 'revoked', 'ams', 'stranger'], 60);
  const ofFra = `keys: [{ file: keys/fra.pub.json }, { file: keys/ended.pub.json, until: 2025-12-31T00:00:00Z },
    { file: keys/revoked.pub.json, revoked_at: 2026-01-01T00:00:00Z }]`;
  await rig.write('collector.yaml', rig.collectorYaml(['fra', 'ams']).replace(/keys: .*fra.*\]/, ofFra));
  const keyOf = (name: string): Promise<SigningKey> => readSigningKey(rig.path(`keys/${name}.key`));
  keys = {
    fra: await keyOf('fra'),
    ended: await keyOf('ended'),
    revoked: await keyOf('revoked'),
    ams: await keyOf('ams'),
    stranger: await keyOf('stranger'),
  };
  collector = await rig.startCollector();
  chain = await linkAll(keys.fra, [windowLink(0), eventLink(EVENTS.pair, 70), windowLink(1), windowLink(2)]);
  for (const document of chain) await post(document);
});
afterAll(() => rig.close());

/** Status, and what the collector calls the matter. */
async function post({ octets, signature }: Sent, encoding?: 'gzip'): Promise<string> {
  const response = await fetch(`${rig.url}${DOCUMENTS_ROUTE}`, {
    method: 'POST',
    body: Buffer.from(encoding === undefined ? octets : gzipSync(octets)),
    headers: { [SIGNATURE_HEADER]: signature, ...(encoding !== undefined && { 'content-encoding': encoding }) },
  });
  const { status, error } = (await response.json()) as { status?: string; error?: { code: string } };
  return `${response.status} ${status ?? error?.code ?? '?'}`;
}

/** Every row of every table, read from the file beside the collector. */
function dump(): Tables {
  const database = new Database(rig.path('collector.db'), { readonly: true });
  try {
    const names = database
      .prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
      .all();
    return new Map(names.map(({ name }) => [name, database.prepare(`SELECT * FROM ${name}`).all()]));
  } finally {
    database.close();
  }
}

const withoutConflicts = (tables: Tables): Tables =>
  new Map([...tables].filter(([name]) => !CONFLICT_TABLES.has(name)));

function at(index: number): ChainedDocument {
  const document = chain[index];
  if (document === undefined) throw new Error(`no document ${index}`);
  return document;
}

/** The document that would be the next of the chain, so that nothing but its fault keeps it out. */
function next(overrides: Partial<Summary> = {}): Summary {
  return smallSummary(3, { sequence: chain.length + 1, prev: at(chain.length - 1).digest, ...overrides });
}

const signedBy = (key: SigningKey, document: unknown = next()): Promise<Sent> => signDocument(document, key);
const resigned = (key: SigningKey): Sent => ({ ...at(0), signature: signDetached(at(0).octets, key, 'summary') });
const withOctets = (octets: Uint8Array, key = keys.fra, kind: 'summary' | 'record' = 'summary'): Sent => ({
  octets,
  signature: signDetached(octets, key, kind),
});

function tampered({ octets, signature }: Sent, byte: number): Sent {
  const changed = Buffer.from(octets);
  changed[byte] = (changed[byte] ?? 0) ^ 1;
  return { octets: changed, signature };
}

type Case = [what: string, answer: string, make: () => Sent | Promise<Sent>, encoding?: 'gzip'];

const FORGED: Case[] = [
  [
    'a forged one, under the name of a key',
    '401 bad_signature',
    () => signedBy({ ...keys.stranger, kid: keys.fra.kid }),
  ],
  ['one of a stranger', '401 unknown_key', () => signedBy(keys.stranger)],
  ['one without a signature', '400 malformed', async () => ({ ...(await signedBy(keys.fra)), signature: '' })],
  ['a stored one with one bit changed', '401 bad_signature', () => tampered(at(0), 200)],
  ['a new one with one bit changed', '401 bad_signature', async () => tampered(await signedBy(keys.fra), 200)],
  ['a stored one under the line of another', '401 bad_signature', () => ({ ...at(0), signature: at(2).signature })],
];

const REPLAYED: Case[] = [
  ['the last one again', '200 duplicate', () => at(3)],
  ['the first one again, behind it', '200 duplicate', () => at(0)],
  ['a record again', '200 duplicate', () => at(1)],
];

const RESIGNED: Case[] = [
  ['a stored one, signed by a stranger', '401 unknown_key', () => resigned(keys.stranger)],
  ['a stored one, signed by another PoP', '403 key_not_for_pop', () => resigned(keys.ams)],
  ['a stored one, signed by a key that has ended', '403 key_expired', () => resigned(keys.ended)],
  ['a stored one, signed by a key that is revoked', '403 key_revoked', () => resigned(keys.revoked)],
];

const OF_ANOTHER_KEY: Case[] = [
  ['one of another PoP, in the name of this one', '403 key_not_for_pop', () => signedBy(keys.ams)],
  ['one of this PoP, in the name of another', '403 key_not_for_pop', () => signedBy(keys.fra, next({ pop: 'ams' }))],
  ['one of a key that has ended', '403 key_expired', () => signedBy(keys.ended)],
  ['one of a key that is revoked', '403 key_revoked', () => signedBy(keys.revoked)],
];

const TOO_LARGE: Case[] = [
  ['a bomb', '413 too_large', () => withOctets(Buffer.alloc(BOMB_BYTES)), 'gzip'],
  ['a bomb of a stranger', '401 unknown_key', () => withOctets(Buffer.alloc(BOMB_BYTES), keys.stranger), 'gzip'],
  ['a body over the limit', '413 too_large', () => withOctets(Buffer.alloc(LIMITS.summaryBodyBytesMax + 1))],
  [
    'a record over the limit of records',
    '413 too_large',
    () => withOctets(Buffer.alloc(LIMITS.recordBytesMax + 1, ' '), keys.fra, 'record'),
    'gzip',
  ],
  ['a million levels of arrays', '400 malformed', () => withOctets(Buffer.alloc(1_000_000, '[')), 'gzip'],
  ['a member that nobody knows', '422 schema', () => withOctets(octetsOf({ ...next(), note: 'x' }))],
];

/** Rightly signed by the PoP's own key, and not what comes next. */
const REORDERED: Case[] = [
  ['one behind another than it names', '409 chain_conflict', () => signedBy(keys.fra, next({ prev: at(0).digest }))],
  ['one that begins anew behind the others', '409 chain_conflict', () => signedBy(keys.fra, next({ prev: null }))],
  [
    'another one under a number that is taken',
    '409 chain_conflict',
    () => signedBy(keys.fra, next({ sequence: 3, prev: at(1).digest })),
  ],
];

describe('the store of a collector is not changed by', () => {
  it.each([...FORGED, ...REPLAYED, ...RESIGNED, ...OF_ANOTHER_KEY, ...TOO_LARGE])(
    '%s: %s',
    async (_what, answer, make, encoding) => {
      const before = dump();
      expect(await post(await make(), encoding)).toBe(answer);
      expect(dump()).toEqual(before);
    },
  );

  it.each(REORDERED)('%s: %s, and it is kept beside the chain', async (_what, answer, make) => {
    const before = dump();
    expect(await post(await make())).toBe(answer);
    const after = dump();
    expect(withoutConflicts(after)).toEqual(withoutConflicts(before));
    expect(after.get('conflict_row')).toHaveLength((before.get('conflict_row')?.length ?? 0) + 1);
  });
});

describe('the collector', () => {
  it('held none of the bombs in memory, took nothing for a fault of its own, and takes the next document', async () => {
    const status = await readFile(`/proc/${collector.process.pid}/status`, 'utf8');
    const [, peakKb] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
    expect(Number(peakKb) * 1024).toBeLessThan(BOMB_BYTES);
    expect(collector.lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
    expect(await post(await signedBy(keys.fra))).toBe('200 accepted');
    const said = await rig.run(['verify', '--from', rig.url, '--pop', 'fra', '--key', rig.path('keys/fra.pub.json')]);
    expect(said).toMatch(/^verdict: valid, 5 documents of fra$/m);
  });
});
