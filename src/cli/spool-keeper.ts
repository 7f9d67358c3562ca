/** Who changes a spool: the agent that runs, over its socket, or this process, which then has the folder for itself. */

import { pino } from 'pino';
import type { DropAnswer, RetryAnswer, SpoolAnswer } from '../agent/spool-answers.ts';
import { claimSpool } from '../agent/spool-claim.ts';
import { openSpool } from '../agent/spool.ts';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { askAgent, type Question } from './ask-agent.ts';
import type { SpoolPlace } from './spool-place.ts';
import { mustBeSpool } from './spooled-files.ts';

/** Each takes no more numbers at a time than `LIMITS.spoolQuestionDocuments`, and throws what the disk or the agent says. */
export interface SpoolKeeper {
  retry(sequences: readonly number[]): Promise<RetryAnswer['outcomes']>;
  /** The numbers of those that were there. */
  drop(sequences: readonly number[]): Promise<number[]>;
}

/**
 * @throws PopprobeError `spool_unusable` when the folder is not an agent's, `spool_in_use` when a process has the folder that does not answer here, `config_conflict` when the
 * agent that answers has another one
 */
export async function spoolKeeper(place: SpoolPlace): Promise<SpoolKeeper> {
  return (await runningAgent(place)) ?? (await ownSpool(place.directory));
}

async function runningAgent({ directory, socket }: SpoolPlace): Promise<SpoolKeeper | null> {
  if (socket === null) return null;
  const timeoutMs = LIMITS.spoolAnswerMsMax;
  try {
    const question: Question<SpoolAnswer> = { path: '/v1/spool', timeoutMs, members: ['directory'] };
    const { directory: found } = await askAgent(socket, question);
    if (found !== directory) throw anotherFolder(directory, socket, found);
  } catch (error) {
    if (error instanceof PopprobeError && error.code === 'agent_unreachable') return null;
    throw error;
  }
  return {
    async retry(sequences) {
      const question = { path: '/v1/spool/retry', timeoutMs, body: { sequences }, members: ['outcomes'] as const };
      return (await askAgent<RetryAnswer>(socket, question)).outcomes;
    },
    async drop(sequences) {
      const question = { path: '/v1/spool/drop', timeoutMs, body: { sequences }, members: ['dropped'] as const };
      return (await askAgent<DropAnswer>(socket, question)).dropped;
    },
  };
}

/** Its bounds are no matter here: they hold when a document is added. */
async function ownSpool(directory: string): Promise<SpoolKeeper> {
  await mustBeSpool(directory);
  const log = pino({ level: 'error' }, pino.destination({ dest: 2, sync: true }));
  const limits = { maxBytes: LIMITS.spoolBytesMax, maxAgeH: LIMITS.spoolAgeHoursMax };
  const spool = await openSpool({ directory, ...limits }, log, (folder) => claimSpool(folder, log));
  return {
    async retry(sequences) {
      const outcomes: RetryAnswer['outcomes'] = [];
      for (const sequence of sequences) outcomes.push({ sequence, outcome: await spool.retry(sequence) });
      return outcomes;
    },
    drop: (sequences) => spool.drop(sequences),
  };
}

function anotherFolder(directory: string, socket: string, found: string): PopprobeError {
  return new PopprobeError('config_conflict', {
    expected: `the agent on ${socket} to use the spool folder ${directory}`,
    found: `one that uses ${found}`,
    remedy: 'name the file of that agent, or restart the agent with this one',
  });
}
