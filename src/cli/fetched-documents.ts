/** The documents of a PoP that a collector has, one after another, some of them fetched ahead. */

import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { MS_PER_S } from '../base/units.ts';
import { digestOf } from '../protocol/digest.ts';
import type { DocumentList } from '../protocol/document-list.ts';
import { SIGNATURE_HEADER } from '../protocol/jws.ts';
import type { CollectorReader } from './collector-reader.ts';
import type { Exhibit, NoExhibit } from './exhibit.ts';

type Listed = DocumentList['documents'][number];

/** Which documents of `pop`: windows that start and records that are in [fromS, toS), Unix time, and what lies between. */
export interface FetchPlan {
  pop: string;
  fromS: number;
  toS: number;
  /** Up to when there can be documents, for the estimate alone: a clock that is ahead hides nothing. */
  nowS: number;
}

/** A document to be fetched; the digest that the list names, if it names it. */
interface Wanted {
  sequence: number;
  digest: string | null;
  isBeyond: boolean;
  doneRatio: number;
}

/** Reads page after page, and each page's documents by number. Throws what the reader throws, but what one document lacks. */
export async function* fetchedDocuments(reader: CollectorReader, plan: FetchPlan): AsyncGenerator<Exhibit> {
  const { pop } = plan;
  const underWay: Promise<Exhibit>[] = [];
  for await (const wanted of wantedDocuments(reader, plan)) {
    const fetched = exhibitOf(reader, pop, wanted);
    // Whoever waits for it hears of a failure; until then, and when nobody does any more, it is nobody's.
    fetched.catch(() => undefined);
    underWay.push(fetched);
    if (underWay.length < LIMITS.evidenceFetchesMax) continue;
    const next = underWay.shift();
    if (next) yield await next;
  }
  for (const fetched of underWay) yield await fetched;
}

/** How much of the time has passed stands in for how many of the documents, whose number nobody knows beforehand. */
async function* wantedDocuments(reader: CollectorReader, plan: FetchPlan): AsyncGenerator<Wanted> {
  const doneS = Math.min(plan.toS, plan.nowS);
  let startS: number | null = plan.fromS > 0 ? plan.fromS : null;
  let first: number | null = null;
  let last = 0;
  for await (const listed of wholeList(reader, plan)) {
    const { startS: ownStartS, endS } = timeOf(listed);
    startS ??= ownStartS;
    first ??= listed.sequence;
    last = listed.sequence;
    const doneRatio = Math.min(1, Math.max(0, (endS - startS) / Math.max(1, doneS - startS)));
    yield { sequence: last, digest: listed.digest, isBeyond: false, doneRatio };
  }
  if (first === null || plan.toS === Number.MAX_SAFE_INTEGER) return;
  yield* declaringBeyond(reader, plan.pop, { first, last });
}

function timeOf(listed: Listed): { startS: number; endS: number } {
  if (listed.kind === 'summary') {
    const { window_start_unix_s: startS, window_length_s: lengthS } = listed;
    return { startS, endS: startS + lengthS };
  }
  const atS = listed.at_unix_ms / MS_PER_S;
  return { startS: atS, endS: atS };
}

/**
 * What is listed of the time, and every document between the first and the last of these: a window is sealed some seconds
 * after its end, so that an event of the next month may stand before the last window of this one.
 */
async function* wholeList(reader: CollectorReader, plan: FetchPlan): AsyncGenerator<Listed> {
  let last: number | null = null;
  for await (const listed of listFrom(reader, plan, 0)) {
    if (last !== null && listed.sequence > last + 1) {
      for await (const between of listFrom(reader, { ...plan, fromS: 0, toS: Number.MAX_SAFE_INTEGER }, last)) {
        if (between.sequence >= listed.sequence) break;
        yield between;
      }
    }
    yield listed;
    last = listed.sequence;
  }
}

async function* listFrom(reader: CollectorReader, plan: FetchPlan, start: number): AsyncGenerator<Listed> {
  const { pop, fromS, toS } = plan;
  for (let after: number | null = start; after !== null; ) {
    const page: DocumentList = await reader.list({ pop, fromS, toS, after });
    yield* page.documents;
    after = page.next_after;
  }
}

/** Records behind the last document that declare numbers before it: what is given up is declared later. */
async function* declaringBeyond(
  reader: CollectorReader,
  pop: string,
  { first, last }: { first: number; last: number },
): AsyncGenerator<Wanted> {
  const declaring = new Set<number>();
  for (let after: number | null = first; after !== null && after < last; ) {
    const { gaps, next_after: nextAfter } = await reader.gaps(pop, after);
    for (const { from_sequence: from, declared_by: by } of gaps) {
      if (from < last && by !== null && by > last) declaring.add(by);
    }
    after = nextAfter;
  }
  for (const sequence of declaring) yield { sequence, digest: null, isBeyond: true, doneRatio: 1 };
}

async function exhibitOf(reader: CollectorReader, pop: string, wanted: Wanted): Promise<Exhibit> {
  const { sequence, isBeyond, doneRatio } = wanted;
  return { place: `${pop}/${sequence}`, sequence, content: await contentOf(reader, pop, wanted), isBeyond, doneRatio };
}

/** A document that is listed and not handed out is a fault of the evidence; a collector that is gone is none. */
async function contentOf(
  reader: CollectorReader,
  pop: string,
  { sequence, digest }: Wanted,
): Promise<Exhibit['content']> {
  try {
    const { octets, signature } = await reader.document(pop, sequence);
    if (signature === null) return withoutSignature();
    return { octets, signature, digest: digest ?? digestOf(octets) };
  } catch (error) {
    if (!(error instanceof PopprobeError) || (error.code !== 'not_found' && error.code !== 'too_large')) throw error;
    const { code, expected, found } = error;
    return { code, expected, found };
  }
}

function withoutSignature(): NoExhibit {
  return { code: 'malformed', expected: `the signature in the header ${SIGNATURE_HEADER}`, found: 'no such header' };
}
