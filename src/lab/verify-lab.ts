/** Verifies a lab that has ended, from the files that it left. */

import { loadKeyring } from '../collector/load-keyring.ts';
import type { LabScenario } from '../config/lab-scenario.ts';
import type { LabFiles } from './lab-files.ts';
import { readSpooledDocuments } from './spooled-documents.ts';
import { readStoredDocuments, type LabDocument } from './stored-documents.ts';
import { readTruth } from './truth-file.ts';
import { type Verification, verifyRun } from './verify.ts';

/**
 * Compares the truth with everything that was signed: stored by the collector, or still on its way to it when the lab
 * ended. Throws truth_unreadable, store_unusable, spool_unusable, or what makes a document no evidence.
 */
export async function verifyLab(files: LabFiles, { mesh }: LabScenario): Promise<Verification> {
  const pops = mesh.pops.map(({ name }) => name);
  const keyring = await loadKeyring(pops.map((name) => ({ name, keys: [{ file: files.publicKey(name) }] })));
  const stored = await readStoredDocuments(files.store, keyring);
  const spooled: LabDocument[] = [];
  for (const pop of pops) spooled.push(...(await readSpooledDocuments(pop, files.spool(pop), keyring)));
  const isStored = new Set(stored.map(nameOf));
  const held = spooled.filter((document) => !isStored.has(nameOf(document)));
  return verifyRun(await readTruth(files.truth), [...stored, ...held], { pops });
}

/** A document may be stored and its agent not know it yet. */
function nameOf({ pop, sequence }: LabDocument): string {
  return `${pop} ${sequence}`;
}
