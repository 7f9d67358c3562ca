/** Why a try failed, in one sentence for the log and the status. */

import { errnoOf } from './disk-error.ts';
import type { Answer } from './post.ts';

const UNTRUSTED = 'its authority is not trusted; is collector.ca_file right?';
const OTHER_CLIENT_CERTIFICATE = 'it wants another certificate of us; is collector.client_certificate right?';
const HUNG_UP = 'it hung up; if it asks for certificates, is collector.client_certificate right?';

/** What a person can look at, by the code of Node.js or OpenSSL. */
const HINTS: Record<string, string> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_HAS_EXPIRED: "the collector's certificate has ended; is this host's clock right?",
  CERT_NOT_YET_VALID: "the collector's certificate begins later; is this host's clock right?",
  ERR_TLS_CERT_ALTNAME_INVALID: "the collector's certificate is for another name than the URL has",
};

/**
 * Alerts (RFC 8446 section 6) of a server that wants another certificate: handshake_failure, bad_, unsupported_,
 * revoked, expired and unknown certificate, unknown_ca, access_denied, certificate_required. By number, because OpenSSL has
 * renamed its codes.
 */
const CLIENT_CERTIFICATE_ALERT = /SSL alert number (4[0-689]|116)\b/;

/** How a server of TLS 1.3 that got no certificate, or another one, looks: it says so too late to be heard. */
const HANG_UPS: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** With its code first: a refused connection on a host with two address families carries no message at all. */
export function failureSentence(error: unknown, url = ''): string {
  if (!(error instanceof Error)) return String(error);
  const code = errnoOf(error) ?? '';
  const hint = hintFor(code, error.message, url);
  return oneLine([code, error.message, hint].filter(Boolean).join(': '));
}

function hintFor(code: string, message: string, url: string): string | undefined {
  if (CLIENT_CERTIFICATE_ALERT.test(message)) return OTHER_CLIENT_CERTIFICATE;
  return /^https:/i.test(url) && HANG_UPS.has(code) ? HUNG_UP : HINTS[code];
}

export function answerSentence({ status, code, message }: Answer): string {
  return `HTTP ${status}${code === null ? '' : ` ${code}`}: ${message}`;
}

/** OpenSSL ends its messages with a line feed. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
}
