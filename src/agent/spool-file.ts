/** What the files of the spool look like: a document with its signature, and the head of the chain. */

import { LIMITS } from '../base/limits.ts';

/** A summary as it was signed: the octets that are stored, sent and verified, and the detached JWS over them. */
export interface SealedDocument {
  sequence: number;
  octets: Uint8Array;
  /** Detached JWS in compact form, `header..signature`. */
  signature: string;
}

/** The last document of a chain: what the next one refers to. */
export interface Head {
  sequence: number;
  /** SHA-256 of its octets, base64url. */
  digest: string;
}

export const HEAD_FILE = 'head.json';

/** Largest document file: signature line, line feed, octets. */
export const DOCUMENT_FILE_BYTES_MAX = LIMITS.signatureLineBytesMax + 1 + LIMITS.summaryBytesMax;

const LINE_FEED = 0x0a;
const SEQUENCE_DIGITS = 16;
const DETACHED_JWS = /^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+$/;
const DIGEST = /^[A-Za-z0-9_-]{43}$/;

/** File name of a document. Zero-padded, so that the order of names is the order of the chain. */
export function documentName(sequence: number): string {
  return `${String(sequence).padStart(SEQUENCE_DIGITS, '0')}.jws`;
}

/** The sequence number in a document's file name, or null for any other name. */
export function sequenceOf(name: string): number | null {
  const sequence = /^\d{16}\.jws$/.test(name) ? Number(name.slice(0, SEQUENCE_DIGITS)) : 0;
  return Number.isSafeInteger(sequence) && sequence > 0 ? sequence : null;
}

/** The file's content in parts, so that the octets are written from where they are. */
export function encodeDocument(document: SealedDocument): Uint8Array[] {
  return [Buffer.from(`${document.signature}\n`, 'latin1'), document.octets];
}

/** Octets of the file that holds `document`. */
export function documentFileBytes(document: SealedDocument): number {
  return document.signature.length + 1 + document.octets.length;
}

/**
 * Reads a document file back, or says in a sentence why it is none. The JSON text is parsed although only its octets
 * are used: a summary is one JSON object, so whatever was cut off or zero-filled by a dying disk does not parse.
 */
export function decodeDocument(sequence: number, content: Uint8Array): SealedDocument | string {
  const end = content.subarray(0, LIMITS.signatureLineBytesMax + 1).indexOf(LINE_FEED);
  if (end < 0) return 'there is no signature line';
  const signature = Buffer.from(content.subarray(0, end)).toString('latin1');
  if (!DETACHED_JWS.test(signature)) return 'the first line is not a detached JWS';
  const octets = content.subarray(end + 1);
  const summary = parseObject(octets);
  if (summary === null) return 'what follows the signature is not one whole JSON object';
  if (summary['sequence'] !== sequence) return 'the sequence number is not the one of the file name';
  return { sequence, octets, signature };
}

export function encodeHead(head: Head): Uint8Array {
  return Buffer.from(`${JSON.stringify({ sequence: head.sequence, digest: head.digest })}\n`);
}

/** Reads the head of the chain back, or null when the content is not one. */
export function decodeHead(content: Uint8Array): Head | null {
  const { sequence, digest } = parseObject(content) ?? {};
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || sequence < 1) return null;
  return typeof digest === 'string' && DIGEST.test(digest) ? { sequence, digest } : null;
}

function parseObject(octets: Uint8Array): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
