/** The documents of a PoP that a collector lists, one after another, some of them fetched ahead. */

import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { DocumentList } from '../protocol/document-list.ts';
import { SIGNATURE_HEADER } from '../protocol/jws.ts';
import type { CollectorReader } from './collector-reader.ts';
import type { Exhibit, NoExhibit } from './exhibit.ts';

type Listed = DocumentList['documents'][number];

/** Which documents: windows of `pop` that start in [fromS, toS), Unix time. */
export interface FetchPlan {
  pop: string;
  fromS: number;
  toS: number;
  /** Up to when there can be documents, for the estimate alone: a clock that is ahead hides nothing. */
  nowS: number;
}

/** Reads page after page, and each page's documents by number. Throws what the reader throws, but what one document lacks. */
export async function* fetchedDocuments(reader: CollectorReader, plan: FetchPlan): AsyncGenerator<Exhibit> {
  const { pop } = plan;
  const underWay: Promise<Exhibit>[] = [];
  for await (const [listed, doneRatio] of listedDocuments(reader, plan)) {
    const { sequence } = listed;
    const place = `${pop}/${sequence}`;
    const fetched = contentOf(reader, pop, listed).then((content) => ({ place, sequence, content, doneRatio }));
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
async function* listedDocuments(
  reader: CollectorReader,
  { pop, fromS, toS, nowS }: FetchPlan,
): AsyncGenerator<[Listed, number]> {
  const doneS = Math.min(toS, nowS);
  let startS: number | null = fromS > 0 ? fromS : null;
  for (let after: number | null = 0; after !== null; ) {
    const page: DocumentList = await reader.list({ pop, fromS, toS, after });
    for (const listed of page.documents) {
      startS ??= listed.window_start_unix_s;
      const endS = listed.window_start_unix_s + listed.window_length_s;
      yield [listed, Math.min(1, Math.max(0, (endS - startS) / Math.max(1, doneS - startS)))];
    }
    after = page.next_after;
  }
}

/** A document that is listed and not handed out is a fault of the evidence; a collector that is gone is none. */
async function contentOf(
  reader: CollectorReader,
  pop: string,
  { sequence, digest }: Listed,
): Promise<Exhibit['content']> {
  try {
    const { octets, signature } = await reader.document(pop, sequence);
    return signature === null ? withoutSignature() : { octets, signature, digest };
  } catch (error) {
    if (!(error instanceof PopprobeError) || (error.code !== 'not_found' && error.code !== 'too_large')) throw error;
    const { code, expected, found } = error;
    return { code, expected, found };
  }
}

function withoutSignature(): NoExhibit {
  return { code: 'malformed', expected: `the signature in the header ${SIGNATURE_HEADER}`, found: 'no such header' };
}
