/** Writes a bundle of evidence as the command line asks, and prints the verdict over it. */

import { MS_PER_S } from '../base/units.ts';
import { parseRecord } from '../protocol/parse-record.ts';
import { Bundle, README_FILE } from './bundle.ts';
import { BundleFolder } from './bundle-folder.ts';
import { bundleReadme } from './bundle-readme.ts';
import { BundleTar } from './bundle-tar.ts';
import type { CheckedDocument } from './check-document.ts';
import type { ExportOptions } from './evidence-command.ts';
import { readEvidenceKeys } from './evidence-keys.ts';
import { verdictOf } from './evidence-verdict.ts';
import { Progress } from './progress.ts';
import { renderEvidence } from './render-evidence.ts';
import { type Surroundings, verifySource } from './verify-source.ts';

/**
 * Whether everything is valid.
 *
 * @throws PopprobeError as `runVerify`, and `bundle_exists` or `bundle_unwritable`
 */
export async function runExport(
  files: readonly string[],
  { key, revoked, pop, from, month, out: place }: ExportOptions,
  surroundings: Surroundings,
): Promise<boolean> {
  const { out, err, nowMs } = surroundings;
  const keys = (await readEvidenceKeys(key, pop, revoked)).sort((a, b) => (a.kid < b.kid ? -1 : 1));
  const readme = bundleReadme({ pop, month: month?.name ?? null, keys });
  const bundle = new Bundle(
    place.endsWith('.tar') ? new BundleTar(place) : new BundleFolder(place, [README_FILE, Buffer.from(readme)]),
  );
  bundle.addReadme(readme);
  for (const publicKey of keys) bundle.addKey(publicKey);
  const progress = new Progress(err, nowMs, 'exporting');
  const source = { files, pop, ...(from && { from }), ...(month && { month }) };
  const { evidence, frame } = await verifySource(source, keys, surroundings, {
    onDone: progress.update.bind(progress),
    onVerified(document, { octets, signature }, isBeyond) {
      bundle.addDocument({ ...document, startMs: startMsOf(document, octets), isBeyond, octets, signature });
    },
  });
  const verdict = verdictOf(evidence, frame);
  const lines = renderEvidence(verdict);
  bundle.finish({ text: `${lines.join('\n')}\n`, json: `${JSON.stringify(verdict, null, 2)}\n` });
  progress.end();
  out.write(`${[...lines, `written: ${place}`].join('\n')}\n`);
  return evidence.isValid;
}

/** When the window begins, or the event was, ms since the Unix epoch. */
function startMsOf(document: CheckedDocument, octets: Uint8Array): number {
  return document.kind === 'summary' ? document.window.start_unix_s * MS_PER_S : parseRecord(octets).at_unix_ms;
}
