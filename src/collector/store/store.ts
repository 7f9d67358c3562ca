/** What the collector asks of a store: evidence in, exactly once; the mesh, the chains and their events out. */

import type { MissingRange } from '../../protocol/declared-ranges.ts';
import type { EventOf, RecordEvent } from '../../protocol/record.ts';
import type { SummaryCounts } from '../../protocol/summary.ts';
import type { VerifiedDocument } from '../verify.ts';

export type Acceptance =
  | { readonly status: 'duplicate' }
  | {
      readonly status: 'accepted';
      /** `next`: right behind the PoP's last document, or its first. `ahead`: leaves numbers out. `late`: before the last. */
      readonly order: 'next' | 'ahead' | 'late';
    };

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

/** The time from `fromS` to just before `toS`, Unix time. */
export interface TimeSpan {
  fromS: number;
  toS: number;
}

/** Which documents of a PoP are asked for: those whose time begins in the span, with higher numbers than `after`. */
export interface DocumentQuery extends TimeSpan {
  pop: string;
  after: number;
  limit: number;
}

/** A document as a list names it. */
export interface ListedDocument {
  sequence: number;
  digest: string;
  /** Start of a summary's window, instant of a record; ms since the Unix epoch. */
  atMs: number;
  /** Of a summary's window; null for a record. */
  lengthS: number | null;
}

/** An event's place in the order of all events: by time, then by PoP and number. */
export interface EventPlace {
  atMs: number;
  pop: string;
  sequence: number;
}

/** Which events are asked for: of one PoP and kind or of all, behind `after`. */
export interface EventQuery extends TimeSpan {
  pop: string | null;
  kind: RecordEvent['kind'] | null;
  after: EventPlace;
  limit: number;
}

export interface StoredEvent extends EventPlace {
  event: RecordEvent;
}

/** Numbers that are not stored, between documents that are: all of them declared by one gap record, or by none. */
export type MissingDocuments = MissingRange<EventOf<'gap'>['reason']>;

/** A document that was rightly signed and did not fit into its PoP's chain. */
export interface StoredConflict {
  sequence: number;
  digest: string;
  kid: string;
  receivedAtMs: number;
  expected: string;
  found: string;
  /** Octets of the document. */
  bytes: number;
}

export interface StoredConflicts {
  kept: StoredConflict[];
  /** Conflicting documents that came when there was no room for more. */
  notKept: number;
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

/** The state of one PoP. */
export interface StoredPop {
  pop: string;
  /** Documents stored of this PoP. */
  documents: number;
  lastSequence: number;
  /** When the collector last accepted a document of this PoP, of whatever window; ms since the Unix epoch. */
  lastAcceptedMs: number;
  /** From the arrival of the last document by this host's clock to the end of its time by its PoP's, ms; above 0: ahead. */
  skewMs: number;
  /** Null until it has sent a summary. */
  newest: NewestWindow | null;
}

/** A PoP's window of the highest sequence number. */
export interface NewestWindow extends StoredEnd {
  pop: string;
  sequence: number;
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
export interface DocumentStore {
  /**
   * Stores a document and all that is derived from it, all or nothing, and on the disk when the promise resolves.
   *
   * @throws PopprobeError `chain_conflict` when it does not fit into the PoP's chain. Then it is kept among the conflicts,
   * as durably, and nothing else has changed.
   */
  accept(document: VerifiedDocument, receivedAtMs: number): Promise<Acceptance>;
  /** Each PoP that has sent a document, by name. */
  mesh(): Promise<StoredPop[]>;
  document(pop: string, sequence: number): Promise<StoredDocument | null>;
  /** Every document that is stored, by name of its PoP, then by sequence number. */
  documentNames(): Promise<DocumentName[]>;
  /** The first documents, at most `limit`, that the query asks for, by sequence number. */
  listDocuments(query: DocumentQuery): Promise<ListedDocument[]>;
  /** The first events, at most `limit`, that the query asks for, by time, PoP and number. */
  listEvents(query: EventQuery): Promise<StoredEvent[]>;
  /** Numbers above `after` that are missing: the first `limit` runs. */
  listGaps(pop: string, after: number, limit: number): Promise<MissingDocuments[]>;
  /** What did not fit into the PoP's chain, by number and digest. */
  conflicts(pop: string): Promise<StoredConflicts>;
  conflict(pop: string, sequence: number, digest: string): Promise<StoredDocument | null>;
  close(): Promise<void>;
}
