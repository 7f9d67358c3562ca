/** What the collector asks of a store: evidence in, exactly once, and the newest window of every PoP out. */

import type { SummaryCounts } from '../../protocol/summary.ts';
import type { VerifiedDocument } from '../verify.ts';

export type Acceptance = 'accepted' | 'duplicate';

/** The evidence: the octets as they were signed, and the signature line. */
export interface StoredDocument {
  octets: Uint8Array;
  signature: string;
}

/** What names a document. */
export interface DocumentName {
  pop: string;
  sequence: number;
}

/** Which documents of a PoP are asked for: those whose window starts in [fromS, toS), Unix time, with higher numbers than `after`. */
export interface DocumentQuery {
  pop: string;
  fromS: number;
  toS: number;
  after: number;
  limit: number;
}

/** A document as a list names it. */
export interface ListedDocument {
  sequence: number;
  digest: string;
  windowStartS: number;
  windowLengthS: number;
}

/** One path of one window, as far as windows can be merged. */
export interface StoredPath {
  class: string;
  kind: 'icmp' | 'stamp';
  family: 'ipv4' | 'ipv6';
  dscp: number;
  flow: number;
  /** Mean interval between probes. */
  intervalMs: number;
  counts: SummaryCounts;
  /** Which way probes were lost; null without a stateful reflector. */
  direction: { forward: number; reverse: number; unresolved: number; open: number } | null;
  /** Number of delay samples, and their sum in ns. */
  rttN: number;
  rttSumNs: number;
  rttMaxNs: number | null;
  /** Pairs of bucket and count, ascending; empty without samples. */
  histogram: [number, number][];
}

export interface StoredPeer {
  peer: string;
  /** One letter per second of the window: g, b or u. */
  seconds: string;
  paths: StoredPath[];
  /** What the peer's own document says of the same window; null without one. Of several the newest. */
  otherEnd: StoredOtherEnd | null;
}

/** A PoP's window as far as it bears on what the other end of a path counted. */
export interface StoredEnd {
  /** The first document of a run of the agent, which may have begun within the window; or the one before is not there. */
  isFirstOfRun: boolean;
  /** Bound of its clock's error; null when nobody states one or the clock made a step. */
  clockErrorNs: number | null;
}

export interface StoredOtherEnd extends StoredEnd {
  /** Its reflector's counts of the sessions from the other PoP. */
  sessions: StoredReflected[];
}

export interface StoredReflected {
  class: string;
  family: 'ipv4' | 'ipv6';
  flow: number;
  received: number;
  replied: number;
}

/** The state of one PoP, with its window of the highest sequence number. */
export interface NewestWindow extends StoredEnd {
  pop: string;
  /** Documents stored of this PoP. */
  documents: number;
  lastSequence: number;
  /** When the collector last accepted a document of this PoP, of whatever window; ms since the Unix epoch. */
  lastAcceptedMs: number;
  windowStartS: number;
  windowLengthS: number;
  schedule: 'periodic' | 'poisson';
  tickMs: number;
  tmaxMs: number;
  peers: StoredPeer[];
}

/**
 * Every method throws PopprobeError `store_unusable` when the storage below fails, and then nothing has changed. It is
 * asynchronous because a store may be on another machine.
 */
export interface SummaryStore {
  /**
   * Stores a document and all that is derived from it, in one transaction that is durable when the promise resolves.
   *
   * @throws PopprobeError `chain_conflict` when it does not fit into the PoP's chain.
   */
  accept(document: VerifiedDocument, receivedAtMs: number): Promise<Acceptance>;
  /** The newest window of each PoP that has sent one, by name. */
  mesh(): Promise<NewestWindow[]>;
  document(pop: string, sequence: number): Promise<StoredDocument | null>;
  /** Every document that is stored, by name of its PoP, then by sequence number. */
  documentNames(): Promise<DocumentName[]>;
  /** The first documents, at most `limit`, that the query asks for, by sequence number. */
  listDocuments(query: DocumentQuery): Promise<ListedDocument[]>;
  close(): Promise<void>;
}
