/** Document files sealed by the product or made by hand, and their verification by the command. */

import { createHash, sign } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Sealer } from '../../src/agent/seal.ts';
import { documentName } from '../../src/agent/spool-file.ts';
import type { EvidenceVerdict } from '../../src/cli/evidence-verdict.ts';
import { runVerify } from '../../src/cli/run-verify.ts';
import type { VerifyOptions } from '../../src/cli/verify.ts';
import type { Surroundings } from '../../src/cli/verify-source.ts';
import { open } from '../agent/spool-fixture.ts';
import { bodyOf } from '../agent/summary-body.ts';
import { smallSummary } from '../collector/stored-chain.ts';
import { type TestKey, WINDOW_START_S } from '../protocol/summary-fixture.ts';

const NOW_MS = Date.UTC(2026, 1, 15, 12);

/** Has the product seal `n` documents of PoP `fra` into its spool in `folder`, and gives their files. */
export async function sealInto(folder: string, key: TestKey, n: number): Promise<string[]> {
  const { pop, boot_id, software } = smallSummary(0);
  const recordHead = { pop, boot_id, software };
  const sealer = new Sealer(await open(folder, 64 * 1024 * 1024), key, () => WINDOW_START_S, recordHead);
  const files: string[] = [];
  for (let index = 0; index < n; index += 1) {
    const { sequence } = await sealer.seal(bodyOf(smallSummary(index)));
    files.push(join(folder, documentName(sequence)));
  }
  return files;
}

/** A document file made with nothing but node:crypto. */
export function fileByHand(document: unknown, { kid, privateKey }: TestKey, header: object = {}): Buffer {
  const octets = Buffer.from(JSON.stringify(document));
  const members = { alg: 'Ed25519', b64: false, crit: ['b64'], kid, typ: 'popprobe-summary+jws', ...header };
  const encoded = Buffer.from(JSON.stringify(members)).toString('base64url');
  const signature = sign(null, Buffer.concat([Buffer.from(`${encoded}.`), octets]), privateKey).toString('base64url');
  const digest = createHash('sha256').update(octets).digest('base64url');
  return Buffer.concat([Buffer.from(`${encoded}..${signature} ${digest}\n`), octets]);
}

/** Writes the public half of a key as `popprobe keygen` would, and gives the file. */
export async function writePublicKey(folder: string, name: string, key: TestKey): Promise<string> {
  const file = join(folder, `${name}.pub.json`);
  await writeFile(file, JSON.stringify({ ...key.publicKey.export({ format: 'jwk' }), kid: key.kid }));
  return file;
}

export interface Verified {
  isValid: boolean;
  lines: string[];
  /** Of the faults, in the order of the lines. */
  codes: string[];
}

/** What a command stands in whose output is a pipe. */
export function piped(nowMs: number): { surroundings: Surroundings; printed: () => Promise<string> } {
  const out = new PassThrough();
  const [stdout, err] = [out, new PassThrough()] as unknown as [NodeJS.WriteStream, NodeJS.WriteStream];
  return {
    surroundings: { out: stdout, err, nowMs: () => nowMs, software: 'popprobe/0.0.0' },
    printed: () => {
      out.end();
      return text(out);
    },
  };
}

/** Runs the command's own function into a pipe. */
async function run(files: readonly string[], options: VerifyOptions): Promise<{ isValid: boolean; printed: string }> {
  const { surroundings, printed } = piped(NOW_MS);
  const isValid = await runVerify(files, options, surroundings);
  return { isValid, printed: await printed() };
}

/** The verdict as JSON. */
export async function verdictIn(files: readonly string[], options: VerifyOptions): Promise<EvidenceVerdict> {
  const { printed } = await run(files, { ...options, json: true });
  return JSON.parse(printed) as EvidenceVerdict;
}

/** The verdict as lines. */
export async function verified(files: readonly string[], options: VerifyOptions): Promise<Verified> {
  const { isValid, printed } = await run(files, options);
  const lines = printed.trimEnd().split('\n');
  const codes = lines.flatMap((line) => (line.startsWith('fault: ') ? (/\[(\w+)\]$/.exec(line)?.[1] ?? '?') : []));
  return { isValid, lines, codes };
}
