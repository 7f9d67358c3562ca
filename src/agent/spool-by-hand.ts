/** What a person may do to the documents of a spool: send one of the quarantine again, and drop some for good. */

import type { KeptDocuments } from './kept-documents.ts';
import { syncFolder } from './durable.ts';
import { documentName } from './spool-file.ts';
import { GONE, readDocument } from './spool-recovery.ts';

/** What became of a document that is to be sent again. */
export type RetryOutcome = 'retried' | 'waiting' | 'not_there' | 'damaged';

export class SpoolByHand {
  readonly #kept: KeptDocuments;
  #dropped = 0;

  constructor(kept: KeptDocuments) {
    this.#kept = kept;
  }

  /** Documents dropped since the agent started. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Throws PopprobeError `spool_unusable` when the disk refuses. */
  async retry(sequence: number): Promise<RetryOutcome> {
    const { quarantine, folder, health } = this.#kept;
    if (await this.#kept.has(sequence)) return 'waiting';
    const name = documentName(sequence);
    const path = quarantine.pathOf(name);
    const document = await health.watch('read', `read ${path}`, () => readDocument(path, sequence));
    if (document === GONE) return 'not_there';
    if (typeof document === 'string') return 'damaged';
    await health.watch('remove', `move ${path}`, async () => {
      await quarantine.release(name, folder.path(sequence));
      await syncFolder(folder.directory);
    });
    await this.#kept.putBack(document);
    return 'retried';
  }

  /** The numbers of those that were there. Throws PopprobeError `spool_unusable` when the disk refuses. */
  async drop(sequences: readonly number[]): Promise<number[]> {
    const { quarantine, folder, health, head } = this.#kept;
    const waiting: number[] = [];
    const aside: number[] = [];
    for (const sequence of sequences) {
      if (await this.#kept.has(sequence)) waiting.push(sequence);
      if (await quarantine.has(documentName(sequence))) aside.push(sequence);
    }
    await this.#kept.giveUp(waiting, 'dropped', (sequence) => folder.remove(sequence));
    // A number that the chain has not reached will be that of another document.
    await this.#kept.declare(
      'dropped',
      aside.filter((sequence) => sequence <= (head?.sequence ?? 0)),
    );
    for (const sequence of aside) {
      const name = documentName(sequence);
      await health.watch('remove', `delete ${quarantine.pathOf(name)}`, () => quarantine.drop(name));
    }
    const dropped = [...new Set([...waiting, ...aside])].sort((a, b) => a - b);
    this.#dropped += dropped.length;
    return dropped;
  }
}
