/** Verifies evidence as the command line asks, and prints the verdict. */

import { MS_PER_S } from '../base/units.ts';
import { CollectorReader } from './collector-reader.ts';
import { documentFiles, listDocumentFiles } from './document-files.ts';
import { type Evidence, verifyEvidence } from './evidence.ts';
import { type EvidenceKey, readEvidenceKeys } from './evidence-keys.ts';
import { verdictOf } from './evidence-verdict.ts';
import { fetchedDocuments } from './fetched-documents.ts';
import { Progress } from './progress.ts';
import { renderEvidence } from './render-evidence.ts';
import type { VerifyOptions } from './verify.ts';

/** What the command stands in. */
export interface VerifySurroundings {
  out: NodeJS.WriteStream;
  /** CLOCK_REALTIME, ms since the Unix epoch. */
  nowMs: () => number;
  /** `popprobe/1.2.3`. */
  software: string;
}

type OnDone = Parameters<typeof verifyEvidence>[2];

/**
 * Whether everything is valid.
 *
 * @throws PopprobeError for a key file (`key_unreadable`, `key_invalid`, `key_exposed`, `config_conflict`) or a collector
 * (`collector_unreachable`, `malformed`, `too_large`, or its own refusal)
 */
export async function runVerify(
  files: readonly string[],
  options: VerifyOptions,
  { out, nowMs, software }: VerifySurroundings,
): Promise<boolean> {
  const keys = await readEvidenceKeys(options.key, options.pop ?? null);
  const progress = new Progress(out, nowMs, 'verifying');
  const onDone: OnDone = options.json === true ? () => undefined : progress.update.bind(progress);
  const listed = listDocumentFiles(files);
  const { from, pop, month = null } = options;
  const evidence =
    from === undefined || pop === undefined
      ? await verifyEvidence(documentFiles(listed), keys, onDone)
      : await verifyFetched(from, pop, options, { keys, onDone, nowMs });
  const source = from === undefined ? files : [from.href];
  const frame = { nowMs: nowMs(), software, source, month, others: listed.others };
  const verdict = verdictOf(evidence, frame);
  if (options.json === true) out.write(`${JSON.stringify(verdict, null, 2)}\n`);
  else progress.end(renderEvidence(verdict));
  return evidence.isValid;
}

async function verifyFetched(
  from: URL,
  pop: string,
  { month }: VerifyOptions,
  { keys, onDone, nowMs }: { keys: readonly EvidenceKey[]; onDone: OnDone; nowMs: () => number },
): Promise<Evidence> {
  const reader = new CollectorReader(from);
  const [fromS, toS] = month === undefined ? [0, Number.MAX_SAFE_INTEGER] : [month.fromS, month.toS];
  const plan = { pop, fromS, toS, nowS: Math.ceil(nowMs() / MS_PER_S) };
  try {
    return await verifyEvidence(fetchedDocuments(reader, plan), keys, onDone);
  } finally {
    await reader.close();
  }
}
