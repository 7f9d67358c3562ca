/** The closed list of error codes, and the one error class that carries them. */

/** Every code popprobe can answer with. `docs/errors.md` explains each; a test compares the two lists both ways. */
export const ERROR_CODES = [
  // configuration
  'config_unreadable',
  'config_syntax',
  'config_unknown_key',
  'config_missing_key',
  'config_invalid_value',
  'config_conflict',
  // keys
  'key_unreadable',
  'key_invalid',
  'key_exposed',
  'key_exists',
  'key_unwritable',
  'certificate_unusable',
  // the local kernel
  'kernel_abi_mismatch',
  'kernel_unavailable',
  'syscall_failed',
  'socket_not_permitted',
  // shared memory
  'ring_mismatch',
  // the spool
  'spool_unusable',
  'spool_in_use',
  // the collector's answers
  'malformed',
  'unknown_key',
  'bad_signature',
  'key_not_for_pop',
  'key_not_yet_valid',
  'key_expired',
  'key_revoked',
  'chain_conflict',
  'too_large',
  'schema',
  'not_found',
  'request_timeout',
  'busy',
  'store_unusable',
  'internal',
  // evidence
  'not_a_document',
  'document_misnamed',
  'digest_mismatch',
  'document_replayed',
  'documents_missing',
  'chain_restart',
  'key_unannounced',
  'window_gap',
  'window_overlap',
  'nothing_to_verify',
  'bundle_exists',
  'bundle_unwritable',
  // another configuration while it runs
  'reload_needs_restart',
  'reload_too_soon',
  // questions to the agent
  'trace_too_soon',
  // the command line
  'output_unwritable',
  'agent_unreachable',
  'collector_unreachable',
  'child_failed',
  'lab_unavailable',
  'lab_running',
  'port_taken',
  'nothing_accepted',
  // the lab
  'truth_unreadable',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface ErrorParts {
  /** What was expected, as a noun phrase. */
  expected: string;
  /** What was found instead. */
  found: string;
  /** What the reader can do about it. */
  remedy: string;
  cause?: unknown;
}

/** An error for a person: a stable code, what was expected, what was found and what to do. */
export class PopprobeError extends Error {
  readonly code: ErrorCode;
  readonly expected: string;
  readonly found: string;
  readonly remedy: string;

  constructor(code: ErrorCode, parts: ErrorParts) {
    super(`expected ${parts.expected}; found ${parts.found}; ${parts.remedy}`, { cause: parts.cause });
    this.name = 'PopprobeError';
    this.code = code;
    this.expected = parts.expected;
    this.found = parts.found;
    this.remedy = parts.remedy;
  }
}
