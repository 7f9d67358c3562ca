/** Moves out of the way, when the agent starts, what is in the spool folder and is no document to deliver. */

import { join } from 'node:path';
import type { Logger } from 'pino';
import type { GapMemory } from './gap-memory.ts';
import { rangesOf } from './number-ranges.ts';
import type { Quarantine } from './quarantine.ts';
import { type Head, sequenceOf } from './spool-file.ts';
import type { Stranger } from './spool-recovery.ts';

interface Places {
  directory: string;
  quarantine: Quarantine;
  gaps: GapMemory;
  /** The last document of the chain: what bears a higher number was never one, and the number will be used. */
  head: Head | null;
  log: Logger;
}

/** What cannot be moved is logged and left alone: nothing of it is delivered, and the agent must start. */
export async function setStrangersAside(
  strangers: readonly Stranger[],
  { directory, quarantine, gaps, head, log }: Places,
): Promise<void> {
  if (strangers.length === 0) return;
  const last = head?.sequence ?? 0;
  const damaged = strangers.map(({ name }) => sequenceOf(name) ?? Number.POSITIVE_INFINITY).filter((n) => n <= last);
  try {
    if (damaged.length > 0) await gaps.declare([{ reason: 'damaged', ranges: rangesOf(damaged) }]);
  } catch (error) {
    log.error({ err: error }, 'files that are not whole documents stay where they are: their gap cannot be remembered');
    return;
  }
  for (const { name, reason } of strangers) {
    try {
      await quarantine.take(join(directory, name), reason);
      log.warn({ file: name, reason }, 'not a whole document: moved to the quarantine');
    } catch (error) {
      log.error({ err: error, file: name, reason }, 'not a whole document, and it cannot be moved to the quarantine');
    }
  }
}
