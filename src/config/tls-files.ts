/** The certificates for talking to a collector: whom to trust, and who the agent says it is. */

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { CollectorTarget } from './agent-config.ts';
import { notAKey, readKeyFile, refuseExposed } from './key-file.ts';
import { FileRefused, readSmallFile } from './small-file.ts';

/** What TLS needs beside the address, in PEM. */
export interface TlsMaterial {
  /** Certificates to trust instead of the public ones, or null. */
  readonly ca: string | null;
  /** Certificate, with those that lead to its authority, and private key; or null. */
  readonly client: ClientCertificate | null;
}

export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
const PRIVATE_KEY = 'a private key in PEM without passphrase';

/**
 * Reads the files that the configuration names. `nowMs` is the wall clock, ms since the Unix epoch.
 *
 * @throws PopprobeError `certificate_unusable`, `key_unreadable`, `key_exposed` or `key_invalid`
 */
export function readTlsMaterial({ caFile, clientCertificate }: CollectorTarget, nowMs: number): TlsMaterial {
  return {
    ca: caFile === null ? null : readAuthorities(caFile, nowMs),
    client:
      clientCertificate === null
        ? null
        : readClientCertificate(clientCertificate.certificateFile, clientCertificate.keyFile, nowMs),
  };
}

/**
 * Reads certificates of authorities. One that has expired is tolerated beside one that has not: so an authority is
 * replaced by its successor.
 *
 * @throws PopprobeError `certificate_unusable`
 */
export function readAuthorities(file: string, nowMs: number): string {
  const { text, certificates } = readCertificates(file);
  refuseExpired(
    certificates.reduce((a, b) => (endMs(b) > endMs(a) ? b : a)),
    file,
    nowMs,
  );
  return text;
}

/**
 * Reads a certificate, first in its file, and the key that belongs to it.
 *
 * @throws PopprobeError `certificate_unusable`, `key_unreadable`, `key_exposed` or `key_invalid`
 */
export function readClientCertificate(certificateFile: string, keyFile: string, nowMs: number): ClientCertificate {
  const { text, own } = readCertificateChain(certificateFile, nowMs);
  const { pem, key } = readCertificateKey(keyFile);
  if (!own.checkPrivateKey(key)) {
    throw unusable('a certificate that belongs to its key', `${certificateFile} and ${keyFile}`, 'name a pair');
  }
  return { cert: text, key: pem };
}

/** Reads a certificate and those behind it in its file. @throws PopprobeError `certificate_unusable` */
export function readCertificateChain(file: string, nowMs: number): { text: string; own: X509Certificate } {
  const { text, certificates } = readCertificates(file);
  const [own] = certificates;
  refuseExpired(own, file, nowMs);
  return { text, own };
}

/**
 * Reads the private key of a certificate, which only its owner may read. `credentials` as for `refuseExposed`.
 *
 * @throws PopprobeError `key_unreadable`, `key_exposed` or `key_invalid`
 */
export function readCertificateKey(file: string, credentials?: string): { pem: string; key: KeyObject } {
  const small = readKeyFile(file, 'whoever issues the certificate');
  refuseExposed(small, file, "a certificate's private key", credentials);
  try {
    return { pem: small.octets.toString('latin1'), key: createPrivateKey({ key: small.octets, format: 'pem' }) };
  } catch (cause) {
    const remedy = 'name the key that was made with the certificate';
    throw notAKey(PRIVATE_KEY, `something else in ${file}`, { remedy, cause });
  }
}

function readCertificates(file: string): { text: string; certificates: [X509Certificate, ...X509Certificate[]] } {
  const text = readText(file);
  const [first, ...others] = text.match(CERTIFICATE) ?? [];
  if (first === undefined) throw unusable('certificates in PEM', `none in ${file}`, 'name the file that has them');
  try {
    const certificates = others.map((block) => new X509Certificate(block));
    return { text, certificates: [new X509Certificate(first), ...certificates] };
  } catch (cause) {
    throw unusable('certificates in PEM', `a damaged one in ${file}`, 'fetch the file again', cause);
  }
}

function readText(file: string): string {
  try {
    return readSmallFile(file, LIMITS.certificateFileBytesMax).octets.toString('latin1');
  } catch (cause) {
    if (!(cause instanceof FileRefused)) throw cause;
    throw unusable('a readable file', `${cause.message}: ${file}`, 'correct the path or the permissions', cause);
  }
}

/** One that is not valid yet is no mistake: a host that has just started may not know the time. */
function refuseExpired(certificate: X509Certificate, file: string, nowMs: number): void {
  const end = endMs(certificate);
  if (end >= nowMs) return;
  const expected = 'a certificate that has not expired';
  throw unusable(expected, `one that ended at ${new Date(end).toISOString()} in ${file}`, 'install its successor');
}

/** The end of a certificate's validity, ms since the Unix epoch. */
function endMs(certificate: X509Certificate): number {
  return Date.parse(certificate.validTo);
}

function unusable(expected: string, found: string, remedy: string, cause?: unknown): PopprobeError {
  return new PopprobeError('certificate_unusable', { expected, found, remedy, cause });
}
