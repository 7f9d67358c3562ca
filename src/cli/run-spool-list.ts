/** Lists the documents of a spool folder: at once on a terminal, one after another in a pipe. */

import { Slice } from '../agent/slice.ts';
import { Progress, type Streams } from './progress.ts';
import { renderSpooled, renderSpoolSums, SPOOL_HEADING, type SpoolSum } from './render-spool.ts';
import { describeDocument, type SpooledDocument, spoolNames } from './spooled-files.ts';
import { spoolPlace } from './spool-place.ts';
import type { ListOptions } from './spool.ts';

/** What the command stands in. */
interface Surroundings extends Streams {
  /** CLOCK_REALTIME, ms since the Unix epoch. */
  nowMs: () => number;
}

/** @throws PopprobeError `spool_unusable` when the folder cannot be read */
export async function runSpoolList(options: ListOptions, { out, err, nowMs }: Surroundings): Promise<void> {
  const { directory } = spoolPlace(options);
  const names = await spoolNames(directory);
  const waiting = options.quarantined === true ? [] : names.waiting;
  const listed = { directory, waiting, quarantined: names.quarantined };
  const sums = { waiting: emptySum(), quarantined: emptySum() };
  const progress = new Progress(err, nowMs, 'reading');
  const show = options.json === true ? jsonWriter(directory, out) : lineWriter(out, nowMs);
  const total = waiting.length + names.quarantined.length;
  let done = 0;
  for await (const document of documentsOf(listed)) {
    done += 1;
    add(document.reason === null ? sums.waiting : sums.quarantined, document);
    show.document(document);
    // JSON goes out line by line: on a terminal the progress would be drawn into it.
    if (options.json !== true || !out.isTTY) progress.update(done, done / total);
  }
  progress.end();
  const { strangers } = names;
  if (options.json === true) {
    show.end([`"strangers":${strangers}`]);
    return;
  }
  const lines = renderSpoolSums(
    options.quarantined === true ? null : sums.waiting,
    sums.quarantined,
    strangers,
    nowMs(),
  );
  out.write(`${[...show.end([]), ...lines].join('\n')}\n`);
}

/** Somebody has to be let in between: the progress, and Ctrl-C. */
async function* documentsOf({
  directory,
  waiting,
  quarantined,
}: {
  directory: string;
  waiting: readonly number[];
  quarantined: readonly number[];
}): AsyncGenerator<SpooledDocument> {
  const slice = new Slice();
  for (const [sequences, isQuarantined] of [
    [waiting, false],
    [quarantined, true],
  ] as const) {
    for (const sequence of sequences) {
      if (slice.isOver) await slice.rest();
      const document = describeDocument(directory, sequence, isQuarantined);
      if (document !== null) yield document;
    }
  }
}

interface Writer {
  document(document: SpooledDocument): void;
  /** What is left to be shown. */
  end(rest: readonly string[]): string[];
}

function lineWriter(out: NodeJS.WriteStream, nowMs: () => number): Writer {
  const kept = [SPOOL_HEADING];
  if (!out.isTTY) out.write(`${kept.splice(0).join('')}\n`);
  return {
    document(document) {
      const line = renderSpooled(document, nowMs());
      if (out.isTTY) kept.push(line);
      else out.write(`${line}\n`);
    },
    end: () => kept,
  };
}

function jsonWriter(directory: string, out: NodeJS.WriteStream): Writer {
  let separator = '';
  out.write(`{"directory":${JSON.stringify(directory)},"documents":[`);
  return {
    document({ writtenMs, ...document }) {
      const written_at = new Date(writtenMs).toISOString();
      out.write(`${separator}\n${JSON.stringify({ ...document, written_at })}`);
      separator = ',';
    },
    end(rest) {
      out.write(`\n],${rest.join(',')}}\n`);
      return [];
    },
  };
}

function emptySum(): SpoolSum {
  return { documents: 0, bytes: 0, oldestMs: null };
}

function add(sum: SpoolSum, { bytes, writtenMs }: SpooledDocument): void {
  sum.documents += 1;
  sum.bytes += bytes;
  sum.oldestMs = Math.min(sum.oldestMs ?? writtenMs, writtenMs);
}
