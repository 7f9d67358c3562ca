/** The truth file: written second by second while the network runs, and read strictly when it is to be believed. */

import { closeSync, createReadStream, openSync, writeFileSync } from 'node:fs';
import { PopprobeError } from '../base/errors.ts';
import { systemReason } from '../config/small-file.ts';
import { truthErrorSchema, truthHeadSchema, truthRowSchema } from '../protocol/truth-schema.ts';
import type { TruthError, TruthHead, TruthRow } from './truth.ts';

/** All that an emulated network says of itself. */
export interface Truth {
  readonly head: TruthHead;
  /** By second, ascending; a pair has at most one row in each. */
  readonly rows: readonly TruthRow[];
  /** By second, ascending. */
  readonly errors: readonly TruthError[];
}

/** Writes the file in the calling thread: some kilobytes a second, and nothing is left unwritten when the process ends. */
export class TruthWriter {
  readonly #file: string;
  readonly #descriptor: number;

  /**
   * Begins the file anew.
   *
   * @throws PopprobeError `syscall_failed` when it cannot be written.
   */
  constructor(file: string, head: TruthHead) {
    this.#file = file;
    this.#descriptor = this.#written(() => openSync(file, 'w'));
    this.#write([head]);
  }

  /**
   * Appends one second. Seconds come in ascending order, each once; its error line says that it is complete.
   *
   * @throws PopprobeError `syscall_failed` when it cannot be written.
   */
  append(rows: readonly TruthRow[], error: TruthError): void {
    this.#write([...rows, error]);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** All lines in one write: a process that is killed leaves a second whole or not at all, mostly. */
  #write(lines: readonly (TruthHead | TruthRow | TruthError)[]): void {
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    this.#written(() => writeFileSync(this.#descriptor, text));
  }

  #written<T>(action: () => T): T {
    try {
      return action();
    } catch (cause) {
      throw new PopprobeError('syscall_failed', {
        expected: `to write the truth file ${this.#file}`,
        found: systemReason(cause),
        remedy: 'look at free space and permissions of its folder',
        cause,
      });
    }
  }
}

/**
 * Reads the whole file.
 *
 * @throws PopprobeError `truth_unreadable` when the file cannot be read, a line is not what the writer writes, or the last
 * second is not complete.
 */
export async function readTruth(file: string): Promise<Truth> {
  const reading = new TruthReading(file);
  try {
    for await (const line of linesOf(file)) reading.take(line);
  } catch (cause) {
    if (cause instanceof PopprobeError) throw cause;
    throw unreadable(file, 'a readable truth file', systemReason(cause), cause);
  }
  return reading.finish();
}

async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(file, 'utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

/** As much of zod's answer as is used here. */
interface LineSchema<T> {
  safeParse(
    value: unknown,
  ):
    | { success: true; data: T }
    | { success: false; error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } };
}

/** What has been read so far: the head, whole seconds, and the rows of the second that is not whole yet. */
class TruthReading {
  readonly #file: string;
  #line = 0;
  #head: TruthHead | null = null;
  readonly #rows: TruthRow[] = [];
  readonly #errors: TruthError[] = [];
  readonly #pairs = new Set<string>();

  constructor(file: string) {
    this.#file = file;
  }

  take(line: string): void {
    this.#line += 1;
    const value = this.#parseJson(line);
    if (!this.#head) this.#head = this.#checked<TruthHead>(truthHeadSchema, value);
    else if (typeof value === 'object' && value !== null && 'error_us' in value)
      this.#endSecond(this.#checked<TruthError>(truthErrorSchema, value));
    else this.#addRow(this.#head.hosts, this.#checked<TruthRow>(truthRowSchema, value));
  }

  finish(): Truth {
    if (!this.#head) throw unreadable(this.#file, 'a truth file', 'an empty file');
    if (this.#pairs.size > 0) throw this.#refused('an error line after the rows of a second', 'the end of the file');
    return { head: this.#head, rows: this.#rows, errors: this.#errors };
  }

  #addRow(hosts: readonly string[], row: TruthRow): void {
    const { from, to, second } = row;
    if (from === to || !hosts.includes(from) || !hosts.includes(to))
      throw this.#refused('two hosts of the head', `${from} and ${to}`);
    const newest = this.#pairs.size > 0 ? this.#rows.at(-1)?.second : undefined;
    if (newest !== undefined && newest !== second)
      throw this.#refused(`the error line of second ${newest}`, `a row of second ${second}`);
    const pair = `${from} ${to}`;
    if (this.#pairs.has(pair)) throw this.#refused('one row a pair and second', `another one of ${from} and ${to}`);
    this.#pairs.add(pair);
    this.#rows.push(row);
  }

  #endSecond(error: TruthError): void {
    const before = this.#errors.at(-1)?.second ?? -1;
    if (error.second <= before)
      throw this.#refused(`a second after ${before}`, `the error line of second ${error.second}`);
    const rows = this.#pairs.size > 0 ? this.#rows.at(-1)?.second : error.second;
    if (rows !== error.second)
      throw this.#refused(`the error line of second ${rows}`, `that of second ${error.second}`);
    this.#errors.push(error);
    this.#pairs.clear();
  }

  #parseJson(line: string): unknown {
    try {
      return JSON.parse(line);
    } catch (cause) {
      throw this.#refused('a line of JSON', cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  #checked<T>(schema: LineSchema<T>, value: unknown): T {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    const issue = result.error.issues[0];
    const place = issue?.path.join('.') ?? '';
    throw this.#refused(
      'a line of schema popprobe.truth/1',
      `${place === '' ? 'the line' : place}: ${issue?.message ?? 'invalid'}`,
    );
  }

  #refused(expected: string, found: string, cause?: unknown): PopprobeError {
    return unreadable(this.#file, expected, `${found}, line ${this.#line}`, cause);
  }
}

function unreadable(file: string, expected: string, found: string, cause?: unknown): PopprobeError {
  return new PopprobeError('truth_unreadable', {
    expected,
    found: `${found} (${file})`,
    remedy: 'name the folder of a lab run that ended by itself; if it was killed, run it again',
    cause,
  });
}
