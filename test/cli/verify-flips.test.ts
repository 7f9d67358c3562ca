/** The program `popprobe verify` over every document that differs from a stored one in a single bit: it passes none of them. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Sealer } from '../../src/agent/seal.ts';
import { documentName } from '../../src/agent/spool-file.ts';
import type { EvidenceVerdict } from '../../src/cli/evidence-verdict.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { open, temporaryFolder } from '../agent/spool-fixture.ts';
import { bodyOf } from '../agent/summary-body.ts';
import { smallSummary } from '../collector/stored-chain.ts';
import { EVENTS } from '../protocol/record-fixture.ts';
import { buildKey, WINDOW_START_S } from '../protocol/summary-fixture.ts';
import { writePublicKey } from './evidence-fixture.ts';
import { popprobe } from './program.ts';

/** Files are told by their names, which are no numbers of documents. */
const nameOf = (bit: number): string => `bit${String(bit).padStart(6, '0')}.jws`;

/** The same octets with one bit that is another, for each of their bits. */
function* flips(octets: Buffer): Generator<Buffer> {
  for (let bit = 0; bit < 8 * octets.length; bit += 1) {
    const at = bit >> 3;
    const flipped = Buffer.from(octets);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (bit & 7));
    yield flipped;
  }
}

let folder: string;
let keyFile: string;
/** A summary and a record, as the spool has them. */
let sealed: string[];

beforeEach(async () => {
  folder = await temporaryFolder();
  const key = await buildKey();
  keyFile = await writePublicKey(folder, 'fra', key);
  const spool = join(folder, 'spool');
  const { pop, boot_id, software } = smallSummary(0);
  const sealer = new Sealer(await open(spool), key, () => WINDOW_START_S, { pop, boot_id, software });
  const documents = [
    await sealer.seal(bodyOf(smallSummary(0))),
    await sealer.sealRecord(EVENTS.pair, (WINDOW_START_S + 70) * 1000),
  ];
  sealed = documents.map(({ sequence }) => join(spool, documentName(sequence)));
});

/** Has the program judge all of these in one run, and expects a fault of each and a document of none. */
function expectAllRefused(files: Iterable<Buffer>): Map<string, number> {
  const place = join(folder, 'flipped');
  mkdirSync(place);
  let count = 0;
  for (const content of files) {
    writeFileSync(join(place, nameOf(count)), content);
    count += 1;
  }
  const { status, stdout, stderr } = popprobe('verify', place, '--key', keyFile, '--json');
  expect([status, stderr]).toEqual([1, expect.stringMatching(/^(verifying.*\n)*$/)]);
  const { verdict, pops, keys, faults, fault_count } = JSON.parse(stdout) as EvidenceVerdict;
  expect({ verdict, pops, signed: keys.map(({ documents }) => documents) }).toEqual({
    verdict: 'not_valid',
    pops: [],
    signed: [0],
  });
  const refused = new Set(faults.map((fault) => fault.place));
  const passed = Array.from({ length: count }, (_, bit) => bit).filter((bit) => !refused.has(join(place, nameOf(bit))));
  expect(passed).toEqual([]);
  expect(fault_count).toBe(count);
  const codes = new Map<string, number>();
  for (const { code } of faults) codes.set(code, (codes.get(code) ?? 0) + 1);
  return codes;
}

describe('the program', () => {
  it('takes the documents as they are', () => {
    expect(popprobe('verify', ...sealed, '--key', keyFile).stdout).toMatch(/^verdict: valid, 2 documents of fra$/m);
  });

  it.each([
    [0, 'a summary'],
    [1, 'a record'],
  ])(
    'refuses document %i, %s, for every single bit of its file that is another',
    (index) => {
      const content = readFileSync(sealed[index] ?? '');
      const codes = expectAllRefused(flips(content));
      expect([...codes.values()].reduce((sum, count) => sum + count, 0)).toBe(8 * content.length);
      expect([...codes.keys()]).toContain('digest_mismatch');
    },
    120_000,
  );

  it.each([
    [0, 'a summary'],
    [1, 'a record'],
  ])(
    'refuses document %i, %s, for every single bit of its octets although the digest was made to fit',
    (index) => {
      const content = readFileSync(sealed[index] ?? '');
      const end = content.indexOf('\n');
      const [signature = ''] = content.toString('latin1', 0, end).split(' ');
      const octets = content.subarray(end + 1);
      const forged = function* forged(): Generator<Buffer> {
        for (const flipped of flips(octets)) {
          yield Buffer.concat([Buffer.from(`${signature} ${digestOf(flipped)}\n`), flipped]);
        }
      };
      expect([...expectAllRefused(forged())]).toEqual([['bad_signature', 8 * octets.length]]);
    },
    120_000,
  );
});
