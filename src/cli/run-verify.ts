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
  const { out, nowMs } = surroundings;
  const keys = await readEvidenceKeys(key, pop ?? null, revoked);
  const progress = new Progress(out, nowMs, 'verifying');
  const onDone = json === true ? () => undefined : progress.update.bind(progress);
  const source = { files, ...(pop !== undefined && { pop }), ...(from && { from }), ...(month && { month }) };
  const { evidence, frame } = await verifySource(source, keys, surroundings, { onDone });
  const verdict = verdictOf(evidence, frame);
  if (json === true) out.write(`${JSON.stringify(verdict, null, 2)}\n`);
  else progress.end(renderEvidence(verdict));
  return evidence.isValid;
}
