/** Verifies evidence as the command line asks, and prints the verdict. */

import { readEvidenceKeys } from './evidence-keys.ts';
import { verdictOf } from './evidence-verdict.ts';
import { Progress } from './progress.ts';
import { renderEvidence } from './render-evidence.ts';
import type { VerifyOptions } from './verify.ts';
import { type Surroundings, verifySource } from './verify-source.ts';

/**
 * Whether everything is valid.
 *
 * @throws PopprobeError for a key file (`key_unreadable`, `key_invalid`, `key_exposed`, `config_conflict`) or a collector
 * (`collector_unreachable`, `malformed`, `too_large`, or its own refusal)
 */
export async function runVerify(
  files: readonly string[],
  { key, revoked, pop, from, month, json }: VerifyOptions,
  surroundings: Surroundings,
): Promise<boolean> {
  const { out, err, nowMs } = surroundings;
  const keys = await readEvidenceKeys(key, pop ?? null, revoked);
  const progress = new Progress(err, nowMs, 'verifying');
  const source = { files, ...(pop !== undefined && { pop }), ...(from && { from }), ...(month && { month }) };
  const { evidence, frame } = await verifySource(source, keys, surroundings, {
    onDone: progress.update.bind(progress),
  });
  progress.end();
  const verdict = verdictOf(evidence, frame);
  out.write(json === true ? `${JSON.stringify(verdict, null, 2)}\n` : `${renderEvidence(verdict).join('\n')}\n`);
  return evidence.isValid;
}
