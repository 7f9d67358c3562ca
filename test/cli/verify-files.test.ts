/** `popprobe verify` over files: what the product sealed is valid, and nothing else is, by one bit or by a forger's hand. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { documentName } from '../../src/agent/spool-file.ts';
import { documentFiles, listDocumentFiles } from '../../src/cli/document-files.ts';
import { type Evidence, verifyEvidence } from '../../src/cli/evidence.ts';
import { readEvidenceKeys } from '../../src/cli/evidence-keys.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { parseSummary } from '../../src/protocol/parse-summary.ts';
import type { Summary } from '../../src/protocol/summary.ts';
import { eventLink, linkAll, smallSummary, windowLink } from '../collector/stored-chain.ts';
import { buildRecord, EVENTS } from '../protocol/record-fixture.ts';
import { refusalOf } from '../protocol/refusal.ts';
import {
  buildCounts,
  buildKey,
  buildPath,
  buildPeer,
  type TestKey,
  WINDOW_START_S,
} from '../protocol/summary-fixture.ts';
import { fileByHand, sealInto, verdictIn, verified, writePublicKey } from './evidence-fixture.ts';
import { popprobe } from './program.ts';

let folder: string;
let spool: string;
let key: TestKey;
let keyFile: string;
let files: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popprobe-verify-'));
  spool = join(folder, 'spool');
  key = await buildKey();
  keyFile = await writePublicKey(folder, 'fra', key);
  files = await sealInto(spool, key, 5);
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function fileAt(index: number): string {
  const file = files[index];
  if (file === undefined) throw new Error(`no file ${index}`);
  return file;
}

async function codesOf(paths: readonly string[] = [spool], pop?: string): Promise<string[]> {
  const { isValid, lines, codes } = await verified(paths, { key: [keyFile], ...(pop !== undefined && { pop }) });
  expect(isValid).toBe(codes.length === 0);
  expect(lines.at(-1)).toMatch(
    isValid ? /^verdict: valid, / : new RegExp(`^verdict: NOT VALID, faults: ${codes.length} `),
  );
  return codes;
}

async function octetsIn(file: string): Promise<Buffer> {
  const content = await readFile(file);
  return content.subarray(content.indexOf('\n') + 1);
}

async function summaryIn(file: string): Promise<Summary> {
  return parseSummary(await octetsIn(file));
}

/** Puts another document into the file, signed anew. */
async function resign(index: number, change: Partial<Summary>, by = key): Promise<void> {
  await writeFile(fileAt(index), fileByHand({ ...(await summaryIn(fileAt(index))), ...change }, by));
}

describe('what the product has sealed', () => {
  it('is valid, with everything that a reader must know', async () => {
    const head = digestOf(await octetsIn(fileAt(4)));
    const last = WINDOW_START_S + 4;
    expect(await verified([spool], { key: [keyFile] })).toEqual({
      isValid: true,
      codes: [],
      lines: [
        'evidence verified at 2026-02-15T12:00:00.000Z by popprobe/0.0.0',
        `source: ${spool}`,
        `PoP fra: 5 documents, ${WINDOW_START_S} (where a chain begins) to ${last}`,
        '  windows: 2026-01-01T00:00:00.000Z to 2026-01-01T00:05:00.000Z, runs of the agent: 1, events: 0',
        `  head of the chain: document ${last}, SHA-256 ${head}`,
        `    as sha256sum writes it: ${Buffer.from(head, 'base64url').toString('hex')}`,
        `key: ${key.kid} (RFC 7638 thumbprint) of fra, ${keyFile}, signed 5 documents`,
        'note: other files in the folders, not looked at: 2',
        'verdict: valid, 5 documents of fra',
      ],
    });
  });

  it('is valid in whatever order its files are named, and copies count once', async () => {
    const { isValid, lines } = await verified([...files.toReversed(), fileAt(1)], { key: [keyFile, keyFile] });
    expect(isValid).toBe(true);
    expect(lines).toContain('note: fra: copies of documents, not counted: 1');
    expect(lines.at(-1)).toBe('verdict: valid, 5 documents of fra');
  });

  it('is valid from the middle on, after the document that the first one names', async () => {
    const { lines } = await verified(files.slice(2), { key: [keyFile] });
    const prev = digestOf(await octetsIn(fileAt(1)));
    expect(lines).toContain(
      `PoP fra: 3 documents, ${WINDOW_START_S + 2} (after the one with digest ${prev}) to ${WINDOW_START_S + 4}`,
    );
  });

  it('is valid over a change of the key, when both are given as those of the PoP', async () => {
    const next = await buildKey();
    const nextFile = await writePublicKey(folder, 'next', next);
    const options = { key: [keyFile, nextFile], pop: 'fra' };
    await resign(4, {}, next);
    expect((await verified([spool], options)).codes).toEqual(['key_unannounced']);
    // The one before the last announces the key of the last.
    const { sequence, prev } = await summaryIn(fileAt(3));
    const { x = '' } = next.publicKey.export({ format: 'jwk' });
    const record = buildRecord({ kind: 'key', kid: next.kid, x }, { sequence, prev });
    await writeFile(fileAt(3), fileByHand(record, key, { typ: 'popprobe-record+jws' }));
    await resign(4, { ...smallSummary(3), sequence: sequence + 1, prev: digestOf(await octetsIn(fileAt(3))) }, next);
    const { isValid, lines } = await verified([spool], options);
    expect(isValid).toBe(true);
    expect(lines).toContain(
      `note: fra: from document ${sequence + 1} on key ${next.kid} signs, as key ${key.kid} had announced`,
    );
    expect(lines.filter((line) => line.startsWith('key: ')).map((line) => line.split(', ').at(-1))).toEqual([
      'signed 4 documents',
      'signed 1 documents',
    ]);
  });
});

describe('a document file', () => {
  async function evidenceOf(file: string): Promise<Evidence> {
    const keys = await readEvidenceKeys([keyFile], null);
    return verifyEvidence(documentFiles(listDocumentFiles([file])), keys, () => undefined);
  }

  it('is refused wherever it was torn off', async () => {
    const content = await readFile(fileAt(0));
    const codes = new Set<string>();
    for (let length = 0; length < content.length; length += 1) {
      writeFileSync(fileAt(0), content.subarray(0, length));
      const { isValid, faults } = await evidenceOf(fileAt(0));
      expect(isValid).toBe(false);
      for (const { code } of faults) codes.add(code);
    }
    expect([...codes].toSorted()).toEqual(['digest_mismatch', 'not_a_document']);
  }, 60_000);
});

describe('a forger', () => {
  it('changes a figure, and the digest with it', async () => {
    const content = (await readFile(fileAt(2))).toString('latin1');
    const octets = Buffer.from((await octetsIn(fileAt(2))).toString().replace('"stalls":0', '"stalls":1'));
    const [line = ''] = content.split(' ');
    await writeFile(fileAt(2), Buffer.concat([Buffer.from(`${line} ${digestOf(octets)}\n`), octets]));
    expect(await codesOf()).toEqual(['bad_signature', 'documents_missing']);
  });

  it('signs with a key of his own', async () => {
    await resign(2, {}, await buildKey());
    expect(await codesOf()).toEqual(['unknown_key', 'documents_missing']);
  });

  it('signs with the key of another PoP', async () => {
    const other = await buildKey();
    await resign(2, {}, other);
    const otherFile = await writePublicKey(folder, 'ams', other);
    const { codes, lines } = await verified([spool], { key: [keyFile, otherFile] });
    expect(codes).toEqual(['key_not_for_pop', 'documents_missing']);
    expect(lines.find((line) => line.startsWith('fault: '))).toContain(
      'expected a document of PoP ams, whose key signed it; found one of PoP fra',
    );
  });

  it('claims another key than the one that signed', async () => {
    const { kid, publicKey } = key;
    const summary = await summaryIn(fileAt(2));
    await writeFile(fileAt(2), fileByHand(summary, { ...(await buildKey()), kid, publicKey }));
    expect(await codesOf()).toEqual(['bad_signature', 'documents_missing']);
  });

  it.each([
    ['another name of the algorithm', { alg: 'EdDSA' }, 'bad_signature'],
    ['a type of document that is not ours', { typ: 'JOSE' }, 'bad_signature'],
    ['encoded octets', { b64: true }, 'bad_signature'],
    ['a member more', { jku: 'https://example.net' }, 'malformed'],
  ])('uses the right key with %s', async (_what, header, code) => {
    await writeFile(fileAt(2), fileByHand(await summaryIn(fileAt(2)), key, header));
    expect(await codesOf()).toEqual([code, 'documents_missing']);
  });
});

describe('a PoP that cheats with its own key', () => {
  it('is found with another document under a number that was used', async () => {
    const replay = fileByHand({ ...(await summaryIn(fileAt(2))), software: 'popprobe 9' }, key);
    await writeFile(join(spool, 'replay.jws'), replay);
    expect(await codesOf()).toEqual(['document_replayed']);
    // Copies of either are copies still.
    const { codes, lines } = await verified([spool, fileAt(2), join(spool, 'replay.jws')], { key: [keyFile] });
    expect(codes).toEqual(['document_replayed']);
    expect(lines).toContain('note: fra: copies of documents, not counted: 2');
  });

  it('is found with a document that it wrote anew', async () => {
    await resign(2, { software: 'popprobe 9' });
    expect(await codesOf()).toEqual(['chain_conflict']);
  });

  it('is found with figures that do not add up', async () => {
    const path = buildPath({ counts: buildCounts({ due: 601 }) });
    await resign(2, { peers: [buildPeer('ams', { paths: [path] })] });
    expect(await codesOf()).toEqual(['schema', 'documents_missing']);
  });

  it('is found with what is no summary', async () => {
    await writeFile(fileAt(2), fileByHand({ schema: 'popprobe.summary/2' }, key));
    expect(await codesOf()).toEqual(['schema', 'documents_missing']);
  });
});

describe('a chain', () => {
  it('with a document missing is not valid', async () => {
    await rm(fileAt(2));
    const { lines, codes } = await verified([spool], { key: [keyFile] });
    expect(codes).toEqual(['documents_missing']);
    expect(lines.at(-2)).toBe(
      `fault: fra document ${WINDOW_START_S + 3}: expected document ${WINDOW_START_S + 2} before it; found none [documents_missing]`,
    );
  });

  it('with documents exchanged under each other is told by their names', async () => {
    await rename(fileAt(1), join(folder, 'kept'));
    await rename(fileAt(2), fileAt(1));
    await rename(join(folder, 'kept'), fileAt(2));
    expect(await codesOf()).toEqual(['document_misnamed', 'document_misnamed']);
  });

  it('that began anew behind a gap says so', async () => {
    await rm(fileAt(3));
    await resign(4, { prev: null });
    expect(await codesOf()).toEqual(['chain_restart']);
  });

  it('with time that is left out or covered twice is not valid', async () => {
    const prev = digestOf(await octetsIn(fileAt(3)));
    const sequence = WINDOW_START_S + 4;
    await resign(4, { ...smallSummary(5), sequence, prev });
    expect(await codesOf()).toEqual(['window_gap']);
    await resign(4, { ...smallSummary(3), sequence, prev });
    expect(await codesOf()).toEqual(['window_overlap']);
    // The agent was stopped and started within the window.
    await resign(4, { boot_id: '0b0e8a4e-6d0c-4b7e-8a55-2a4d6a3c9e77' });
    expect(await codesOf()).toEqual([]);
  });

  it('whose agent did not run for a while is valid, and says when', async () => {
    const prev = digestOf(await octetsIn(fileAt(3)));
    const boot_id = '0b0e8a4e-6d0c-4b7e-8a55-2a4d6a3c9e77';
    await resign(4, { ...smallSummary(64), sequence: WINDOW_START_S + 4, prev, boot_id });
    const { isValid, lines } = await verified([spool], { key: [keyFile] });
    expect(isValid).toBe(true);
    expect(lines).toContain(
      'note: fra: not measured from 2026-01-01T00:04:00.000Z to 2026-01-01T01:04:00.000Z (3600 s): the agent was not running',
    );
  });

  it('says what its records declare, for people and for programs', async () => {
    // Windows 0 to 4 stand; behind them come a gap record and a window after two that were never sealed.
    const links = [
      ...[0, 1, 2, 3, 4].map((index) => windowLink(index)),
      eventLink({ kind: 'gap', ranges: [[2, 3]], reason: 'damaged' }, 301),
      eventLink(
        {
          kind: 'unsealed',
          from_unix_s: WINDOW_START_S + 300,
          to_unix_s: WINDOW_START_S + 420,
          windows: 2,
          reason: 'disk',
        },
        421,
      ),
      windowLink(7),
    ];
    await rm(spool, { recursive: true });
    mkdirSync(spool);
    for (const { sequence, octets, signature, digest } of await linkAll(key, links)) {
      if (sequence === 2 || sequence === 3) continue;
      writeFileSync(join(spool, documentName(sequence)), `${signature} ${digest}\n${octets.toString()}`);
    }
    const { isValid, lines } = await verified([spool], { key: [keyFile] });
    expect(isValid).toBe(true);
    expect(lines.slice(2)).toMatchObject([
      'PoP fra: 6 documents, 1 (where a chain begins) to 8',
      '  windows: 2026-01-01T00:00:00.000Z to 2026-01-01T00:08:00.000Z, runs of the agent: 1, events: 2',
      expect.stringMatching(/^  head of the chain: document 8,/),
      expect.any(String),
      expect.stringMatching(/^key: .* signed 6 documents$/),
      'note: fra: documents 2 to 3 were given up (damaged), as document 6 declares',
      'note: fra: no window covers 2026-01-01T00:01:00.000Z to 2026-01-01T00:03:00.000Z (120 s): given up',
      'note: fra: no document was made of 2026-01-01T00:05:00.000Z to 2026-01-01T00:07:00.000Z (120 s) (disk), as document 7 declares',
      'verdict: valid, 6 documents of fra',
    ]);
    const { notes } = await verdictIn([spool], { key: [keyFile] });
    const nothing = {
      first_sequence: null,
      last_sequence: null,
      from: null,
      to: null,
      declared_by: null,
      reason: null,
    };
    const text: unknown = expect.any(String);
    expect(notes).toEqual([
      {
        ...nothing,
        code: 'documents_given_up',
        pop: 'fra',
        first_sequence: 2,
        last_sequence: 3,
        declared_by: 6,
        reason: 'damaged',
        text,
      },
      {
        ...nothing,
        code: 'time_given_up',
        pop: 'fra',
        from: '2026-01-01T00:01:00.000Z',
        to: '2026-01-01T00:03:00.000Z',
        text,
      },
      {
        ...nothing,
        code: 'windows_unsealed',
        pop: 'fra',
        from: '2026-01-01T00:05:00.000Z',
        to: '2026-01-01T00:07:00.000Z',
        declared_by: 7,
        reason: 'disk',
        text,
      },
    ]);
  });

  it('of nothing but events has no windows', async () => {
    await rm(spool, { recursive: true });
    mkdirSync(spool);
    const [document] = await linkAll(key, [eventLink(EVENTS.pair, 0)]);
    if (!document) throw new Error('a document expected');
    const { octets, signature, digest } = document;
    writeFileSync(join(spool, documentName(1)), `${signature} ${digest}\n${octets.toString()}`);
    const { isValid, lines } = await verified([spool], { key: [keyFile] });
    expect(isValid).toBe(true);
    expect(lines).toContain('  windows: none, runs of the agent: 1, events: 1');
  });

  it('is one for each PoP', async () => {
    const other = await buildKey();
    const summary = { pop: 'ams', sequence: WINDOW_START_S };
    await writeFile(join(spool, 'ams.jws'), fileByHand(smallSummary(0, summary), other));
    const { isValid, lines } = await verified([spool], { key: [keyFile, await writePublicKey(folder, 'ams', other)] });
    expect(isValid).toBe(true);
    expect(lines.at(-1)).toBe('verdict: valid, 6 documents of ams, fra');
  });
});

describe('the PoP', () => {
  it('that was asked for is another', async () => {
    expect(await codesOf([fileAt(0)], 'ams')).toEqual(['key_not_for_pop']);
  });

  it('need not be known', async () => {
    const nameless = join(folder, 'public.json');
    await copyFile(keyFile, nameless);
    const { isValid, lines } = await verified([spool], { key: [nameless] });
    expect(isValid).toBe(true);
    expect(lines).toContain(`note: ${nameless}: nothing says whose key this is`);
  });

  it('is one for each key', async () => {
    const again = join(folder, 'ams.pub.json');
    await copyFile(keyFile, again);
    expect((await refusalOf(() => verified([spool], { key: [keyFile, again] }))).code).toBe('config_conflict');
    expect((await verified([spool], { key: [keyFile, again], pop: 'fra' })).isValid).toBe(true);
  });
});

describe('what is no document', () => {
  it('is refused whatever it is', async () => {
    const noise = join(folder, 'noise.jws');
    await writeFile(noise, 'this is a letter\nand no document\n');
    const loop = join(folder, 'loop.jws');
    await symlink(loop, loop);
    expect(await codesOf([noise, join(folder, 'nothing.jws'), loop, '/dev/null'])).toEqual([
      'not_a_document',
      'not_a_document',
      'not_a_document',
      'not_a_document',
    ]);
  });

  it('is an empty folder, beside documents too', async () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    expect(await codesOf([empty])).toEqual(['nothing_to_verify']);
    expect(await codesOf([empty, spool])).toEqual(['nothing_to_verify']);
  });

  it('cannot have a terminal obey its name', async () => {
    const name = join(folder, 'a\u001B[2J\u202Eb.jws');
    await writeFile(name, '');
    const { lines } = await verified([name], { key: [keyFile] });
    expect(lines.join(' ')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(lines.join('\n')).toContain('a\\u{1b}[2J\\u{202e}b.jws');
  });
});

describe('the command', () => {
  it('exits with 0 when valid, and tells programs the same', async () => {
    const run = popprobe('verify', spool, '--key', keyFile, '--json');
    expect([run.status, run.stderr]).toEqual([0, '']);
    const head = digestOf(await octetsIn(fileAt(4)));
    expect(JSON.parse(run.stdout)).toMatchObject({
      verdict: 'valid',
      source: [spool],
      month: null,
      pops: [
        {
          pop: 'fra',
          documents: 5,
          runs: 1,
          windows_from: '2026-01-01T00:00:00.000Z',
          windows_to: '2026-01-01T00:05:00.000Z',
          prev: null,
          head: { sequence: WINDOW_START_S + 4, digest: head },
        },
      ],
      keys: [{ kid: key.kid, pop: 'fra', file: keyFile, revoked: false, documents: 5 }],
      faults: [],
      fault_count: 0,
    });
  });

  it('exits with 1 when not, with a line for each fault and one for the verdict', async () => {
    await rm(fileAt(2));
    const { status, stdout, stderr } = popprobe('verify', spool, '--key', keyFile);
    expect([status, stderr]).toEqual([1, '']);
    expect(stdout.trimEnd().split('\n').slice(-2)).toEqual([
      expect.stringMatching(/^fault: fra document .* \[documents_missing\]$/),
      'verdict: NOT VALID, faults: 1 (documents_missing 1)',
    ]);
    const json = JSON.parse(popprobe('verify', spool, '--key', keyFile, '--json').stdout);
    expect(json).toMatchObject({ verdict: 'not_valid', faults: [{ code: 'documents_missing' }], fault_count: 1 });
  });

  it('exits with 1 when a key cannot be read', () => {
    const { status, stderr } = popprobe('verify', spool, '--key', join(folder, 'none.pub.json'));
    expect([status, stderr]).toEqual([1, expect.stringContaining('[key_unreadable]')]);
  });

  it('exits with 2 when it is used wrongly', () => {
    const url = 'http://127.0.0.1:9';
    const wrong = [
      ['--key', keyFile],
      [spool],
      [spool, '--key', keyFile, '--month', '2026-01'],
      [spool, '--key', keyFile, '--from', url, '--pop', 'fra'],
      ['--key', keyFile, '--from', url],
      ['--key', keyFile, '--from', 'ftp://example.net', '--pop', 'fra'],
      ['--key', keyFile, '--from', 'http://user:word@example.net', '--pop', 'fra'],
      ['--key', keyFile, '--from', url, '--pop', 'FRA'],
      ['--key', keyFile, '--from', url, '--pop', 'fra', '--month', '2026-13'],
    ];
    expect(wrong.map((args) => popprobe('verify', ...args)).map(({ status, stdout }) => [status, stdout])).toEqual(
      wrong.map(() => [2, '']),
    );
  });
});
