/** What the files of the spool look like: a document with its signature, and the head of the chain. */

import { LIMITS } from '../base/limits.ts';
import { digestOf } from '../protocol/digest.ts';
import { nextSigner } from './next-signer.ts';

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
  /** Thumbprint of the key that signs the next one; absent where nothing says. */
  nextKid?: string;
}

export const HEAD_FILE = 'head.json';

const DIGEST_CHARACTERS = 43;
/** First line of a document file: signature, space, digest of the octets that follow. */
const FIRST_LINE_BYTES_MAX = LIMITS.signatureLineBytesMax + 1 + DIGEST_CHARACTERS;

/** Largest document file: first line, line feed, octets. */
export const DOCUMENT_FILE_BYTES_MAX = FIRST_LINE_BYTES_MAX + 1 + LIMITS.summaryBytesMax;

const LINE_FEED = 0x0a;
/** The sequence number stands near the beginning of every document, see `seal.ts`. */
const SEQUENCE_WITHIN_BYTES = 512;
const SEQUENCE_DIGITS = 16;
const FIRST_LINE = /^([A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+) ([A-Za-z0-9_-]{43})$/;
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
  return [Buffer.from(`${document.signature} ${digestOf(document.octets)}\n`, 'latin1'), document.octets];
}

/** Octets of the file that holds `document`. */
export function documentFileBytes(document: SealedDocument): number {
  return document.signature.length + 1 + DIGEST_CHARACTERS + 1 + document.octets.length;
}

/** A document file taken apart; nothing of it is verified. */
export interface DocumentFile {
  signature: string;
  /** What the first line says of the octets: their SHA-256, base64url. */
  digest: string;
  octets: Uint8Array;
}

/** Takes a document file apart, or says in a sentence why it is none. */
export function splitDocument(content: Uint8Array): DocumentFile | string {
  const end = content.subarray(0, FIRST_LINE_BYTES_MAX + 1).indexOf(LINE_FEED);
  if (end < 0) return 'there is no signature line';
  const [, signature, digest] = FIRST_LINE.exec(Buffer.from(content.subarray(0, end)).toString('latin1')) ?? [];
  if (signature === undefined || digest === undefined) return 'the first line is not a detached JWS and a digest';
  return { signature, digest, octets: content.subarray(end + 1) };
}

/**
 * Reads a document file back, or says in a sentence why it is none. The digest tells whatever a dying disk cut off,
 * zero-filled or flipped, without parsing a document of megabytes each time it is sent.
 */
export function decodeDocument(sequence: number, content: Uint8Array): SealedDocument | string {
  const file = splitDocument(content);
  if (typeof file === 'string') return file;
  const { signature, digest, octets } = file;
  if (digestOf(octets) !== digest) return 'what follows the first line is not what was written';
  const beginning = Buffer.from(octets.subarray(0, SEQUENCE_WITHIN_BYTES)).toString('latin1');
  const [, named] = /"sequence":(\d+),"prev":/.exec(beginning) ?? [];
  if (Number(named) !== sequence) return 'the sequence number is not the one of the file name';
  return { sequence, octets, signature };
}

export function encodeHead(head: Head): Uint8Array {
  const { sequence, digest, nextKid } = head;
  return Buffer.from(`${JSON.stringify({ sequence, digest, next_kid: nextKid })}\n`);
}

/** The head of a chain of which this is the newest document. */
export function headOf(document: SealedDocument): Head {
  const nextKid = nextSigner(document);
  return {
    sequence: document.sequence,
    digest: digestOf(document.octets),
    ...(nextKid !== undefined && { nextKid }),
  };
}

/** Reads the head of the chain back, or null when the content is not one. */
export function decodeHead(content: Uint8Array): Head | null {
  const { sequence, digest, next_kid: nextKid } = parseObject(content) ?? {};
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || sequence < 1) return null;
  if (typeof digest !== 'string' || !DIGEST.test(digest)) return null;
  if (nextKid === undefined) return { sequence, digest };
  return typeof nextKid === 'string' && DIGEST.test(nextKid) ? { sequence, digest, nextKid } : null;
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
