/** Verifies what the command line names: files and folders, or the documents of a collector. */

import { MS_PER_S } from '../base/units.ts';
import { CollectorReader } from './collector-reader.ts';
import { documentFiles, listDocumentFiles } from './document-files.ts';
import { type Evidence, verifyEvidence } from './evidence.ts';
import type { EvidenceKey } from './evidence-keys.ts';
import type { VerdictFrame } from './evidence-verdict.ts';
import { fetchedDocuments } from './fetched-documents.ts';
import type { Month } from './month.ts';
import type { Streams } from './progress.ts';

/** Either files, or a collector and a PoP of it. */
export interface EvidenceSource {
  readonly files: readonly string[];
  readonly pop?: string;
  readonly from?: URL;
  readonly month?: Month;
}

/** What the command stands in. */
export interface Surroundings extends Streams {
  /** CLOCK_REALTIME, ms since the Unix epoch. */
  readonly nowMs: () => number;
  /** `popprobe/1.2.3`. */
  readonly software: string;
}

type Hooks = { onDone: Parameters<typeof verifyEvidence>[2]; onVerified?: Parameters<typeof verifyEvidence>[3] };

/**
 * Gives the evidence, and what a verdict says beside it.
 *
 * @throws PopprobeError for a collector (`collector_unreachable`, `malformed`, `too_large`, or its own refusal), and what
 * `onVerified` throws
 */
export async function verifySource(
  source: EvidenceSource,
  keys: readonly EvidenceKey[],
  { nowMs, software }: Surroundings,
  { onDone, onVerified }: Hooks,
): Promise<{ evidence: Evidence; frame: VerdictFrame }> {
  const { files, from, pop, month } = source;
  const listed = listDocumentFiles(files);
  const isFetched = from !== undefined && pop !== undefined;
  const evidence = isFetched
    ? await verifyFetched(from, pop, month, nowMs, (exhibits) => verifyEvidence(exhibits, keys, onDone, onVerified))
    : await verifyEvidence(documentFiles(listed), keys, onDone, onVerified);
  const named = from === undefined ? files : [from.href];
  return { evidence, frame: { nowMs: nowMs(), software, source: named, month: month ?? null, others: listed.others } };
}

async function verifyFetched(
  from: URL,
  pop: string,
  month: Month | undefined,
  nowMs: () => number,
  verify: (exhibits: ReturnType<typeof fetchedDocuments>) => Promise<Evidence>,
): Promise<Evidence> {
  const reader = new CollectorReader(from);
  const [fromS, toS] = month === undefined ? [0, Number.MAX_SAFE_INTEGER] : [month.fromS, month.toS];
  try {
    return await verify(fetchedDocuments(reader, { pop, fromS, toS, nowS: Math.ceil(nowMs() / MS_PER_S) }));
  } finally {
    await reader.close();
  }
}
