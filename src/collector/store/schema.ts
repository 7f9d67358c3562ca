/** The tables of the SQLite store, as steps from one version to the next. */

/**
 * Step `n` takes a database from `user_version` n to n + 1. A step that has been released is never edited.
 *
 * `document` is the evidence; all other tables but the two of conflicts are derived from it. Delays are in ns, histograms
 * are JSON arrays of [bucket, count] in the scheme of the document's schema version. `window_row.clock_error_ns` is null
 * unless the clock was synchronised and made no step. In `reflected_row` the PoP is the reflector, and the peer the sender.
 *
 * `chain_row` is every document's place and time in a small row: `at_ms` is the start of a summary's window or the instant
 * of a record, which has no `length_s`. `hole_row` has the numbers between a PoP's first document and its last that are
 * not stored, `declared_row` those that gap records declare. `conflict_row` keeps documents that were rightly signed and
 * did not fit into the chain: evidence of trouble, and in no other table.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE document (
    pop TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    prev TEXT,
    kid TEXT NOT NULL,
    window_start_s INTEGER NOT NULL,
    window_length_s INTEGER NOT NULL,
    received_at_ms INTEGER NOT NULL,
    octets BLOB NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (pop, sequence)
  ) STRICT;

  CREATE TABLE pop_state (
    pop TEXT NOT NULL PRIMARY KEY,
    documents INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    last_received_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE window_row (
    pop TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    window_start_s INTEGER NOT NULL,
    window_length_s INTEGER NOT NULL,
    schedule TEXT NOT NULL,
    tick_ms REAL NOT NULL,
    tmax_ms INTEGER NOT NULL,
    clock_error_ns INTEGER,
    PRIMARY KEY (pop, sequence),
    FOREIGN KEY (pop, sequence) REFERENCES document (pop, sequence)
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX window_row_by_start ON window_row (window_start_s, window_length_s);

  CREATE TABLE peer_row (
    pop TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    peer TEXT NOT NULL,
    window_start_s INTEGER NOT NULL,
    window_length_s INTEGER NOT NULL,
    seconds TEXT NOT NULL,
    PRIMARY KEY (pop, sequence, peer),
    FOREIGN KEY (pop, sequence) REFERENCES document (pop, sequence)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE minute_row (
    pop TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    peer TEXT NOT NULL,
    class TEXT NOT NULL,
    kind TEXT NOT NULL,
    family TEXT NOT NULL,
    dscp INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    flow INTEGER NOT NULL,
    window_start_s INTEGER NOT NULL,
    window_length_s INTEGER NOT NULL,
    interval_ms REAL NOT NULL,
    due INTEGER NOT NULL,
    received INTEGER NOT NULL,
    lost INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    missed INTEGER NOT NULL,
    void INTEGER NOT NULL,
    late INTEGER NOT NULL,
    unreachable INTEGER NOT NULL,
    corrupt INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    reordered INTEGER NOT NULL,
    lost_forward INTEGER,
    lost_reverse INTEGER,
    lost_unresolved INTEGER,
    lost_open INTEGER,
    rtt_n INTEGER NOT NULL,
    rtt_sum_ns INTEGER NOT NULL,
    rtt_min_ns INTEGER,
    rtt_max_ns INTEGER,
    histogram TEXT,
    PRIMARY KEY (pop, sequence, peer, class, kind, family, dscp, size_bytes, flow),
    FOREIGN KEY (pop, sequence, peer) REFERENCES peer_row (pop, sequence, peer)
  ) STRICT;

  CREATE TABLE reflected_row (
    pop TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    peer TEXT NOT NULL,
    class TEXT NOT NULL,
    family TEXT NOT NULL,
    flow INTEGER NOT NULL,
    window_start_s INTEGER NOT NULL,
    window_length_s INTEGER NOT NULL,
    received INTEGER NOT NULL,
    replied INTEGER NOT NULL,
    PRIMARY KEY (pop, sequence, peer, class, family, flow),
    FOREIGN KEY (pop, sequence, peer) REFERENCES peer_row (pop, sequence, peer)
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX reflected_row_by_peer ON reflected_row (peer, window_start_s, window_length_s);
  `,
  `
  CREATE TABLE chain_row (
    pop TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    kind TEXT NOT NULL,
    digest TEXT NOT NULL,
    prev TEXT,
    boot_id TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    length_s INTEGER,
    PRIMARY KEY (pop, sequence),
    FOREIGN KEY (pop, sequence) REFERENCES document (pop, sequence)
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX chain_row_by_time ON chain_row (pop, at_ms, sequence);

  INSERT INTO chain_row (pop, sequence, kind, digest, prev, boot_id, at_ms, length_s)
  SELECT pop, sequence, 'summary', digest, prev, boot_id, window_start_s * 1000, window_length_s FROM document;

  ALTER TABLE document DROP COLUMN boot_id;
  ALTER TABLE document DROP COLUMN digest;
  ALTER TABLE document DROP COLUMN prev;
  ALTER TABLE document DROP COLUMN window_start_s;
  ALTER TABLE document DROP COLUMN window_length_s;

  CREATE TABLE hole_row (
    pop TEXT NOT NULL,
    from_sequence INTEGER NOT NULL,
    to_sequence INTEGER NOT NULL,
    PRIMARY KEY (pop, from_sequence)
  ) STRICT, WITHOUT ROWID;

  INSERT INTO hole_row (pop, from_sequence, to_sequence)
  SELECT pop, before + 1, sequence - 1
  FROM (SELECT pop, sequence, lag(sequence) OVER (PARTITION BY pop ORDER BY sequence) AS before FROM chain_row)
  WHERE before < sequence - 1;

  CREATE TABLE declared_row (
    pop TEXT NOT NULL,
    to_sequence INTEGER NOT NULL,
    from_sequence INTEGER NOT NULL,
    by_sequence INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (pop, to_sequence, from_sequence, by_sequence),
    FOREIGN KEY (pop, by_sequence) REFERENCES document (pop, sequence)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE event_row (
    pop TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    peer TEXT,
    family TEXT,
    state TEXT,
    event TEXT NOT NULL,
    PRIMARY KEY (pop, sequence),
    FOREIGN KEY (pop, sequence) REFERENCES document (pop, sequence)
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX event_row_by_time ON event_row (at_ms, pop, sequence);
  CREATE INDEX event_row_by_kind ON event_row (kind, at_ms, pop, sequence);
  CREATE INDEX event_row_by_pop ON event_row (pop, at_ms, sequence);
  CREATE INDEX event_row_by_pop_and_kind ON event_row (pop, kind, at_ms, sequence);

  CREATE TABLE conflict_row (
    pop TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    digest TEXT NOT NULL,
    kid TEXT NOT NULL,
    received_at_ms INTEGER NOT NULL,
    expected TEXT NOT NULL,
    found TEXT NOT NULL,
    signature TEXT NOT NULL,
    octets BLOB NOT NULL,
    PRIMARY KEY (pop, sequence, digest)
  ) STRICT;

  CREATE TABLE conflict_state (
    pop TEXT NOT NULL PRIMARY KEY,
    kept INTEGER NOT NULL,
    kept_bytes INTEGER NOT NULL,
    not_kept INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
];
