/** What a running agent answers and does when a person looks after its spool. */

import type { Route } from './local-api.ts';
import type { RetryOutcome } from './spool-by-hand.ts';
import { readSpoolQuestion } from './spool-question.ts';
import type { SpoolStatus } from './spool-status.ts';
import type { Spool } from './spool.ts';

/** The answer to `GET /v1/spool`. */
export interface SpoolAnswer extends SpoolStatus {
  /** The folder, so that whoever asks knows that it is the one that is meant. */
  directory: string;
}

/** The answer to `POST /v1/spool/retry`: one outcome for each number, in their order. */
export interface RetryAnswer {
  outcomes: { sequence: number; outcome: RetryOutcome }[];
}

/** The answer to `POST /v1/spool/drop`: the numbers of the documents that were there. */
export interface DropAnswer {
  dropped: number[];
}

export function spoolAnswers(spool: Spool, directory: string): Route[] {
  return [
    { method: 'GET', path: '/v1/spool', answer: (): SpoolAnswer => ({ directory, ...spool.status() }) },
    { method: 'POST', path: '/v1/spool/retry', answer: (text) => retry(spool, readSpoolQuestion(text)) },
    { method: 'POST', path: '/v1/spool/drop', answer: (text) => drop(spool, readSpoolQuestion(text)) },
  ];
}

async function retry(spool: Spool, sequences: readonly number[]): Promise<RetryAnswer> {
  const outcomes: RetryAnswer['outcomes'] = [];
  for (const sequence of sequences) outcomes.push({ sequence, outcome: await spool.retry(sequence) });
  return { outcomes };
}

async function drop(spool: Spool, sequences: readonly number[]): Promise<DropAnswer> {
  return { dropped: await spool.drop(sequences) };
}
