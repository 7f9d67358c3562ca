/** What a bundle of evidence consists of, and under which names. */

import { createHash } from 'node:crypto';
import { documentName } from '../agent/spool-file.ts';
import type { PublicKey } from '../config/public-key.ts';
import type { BundleSink } from './bundle-sink.ts';

export const README_FILE = 'README.md';

/** A verified document with what it was verified from. */
export interface BundledDocument {
  readonly sequence: number;
  /** SHA-256 of the octets, base64url. */
  readonly digest: string;
  /** When its window begins, or its event was, ms since the Unix epoch: the day under which it is filed. */
  readonly startMs: number;
  /** It lies behind the others, and is there for what it declares of them. */
  readonly isBeyond: boolean;
  readonly octets: Uint8Array;
  /** The line `header..signature`. */
  readonly signature: string;
}

export class Bundle {
  readonly #sink: BundleSink;
  /** Lines of the manifest: digest in hexadecimal, two spaces, path. */
  readonly #lines: string[] = [];
  /** Digest of the document that has the plain name of its number, and those of others with a number that is taken. */
  readonly #named = new Map<number, string>();
  readonly #others = new Set<string>();

  constructor(sink: BundleSink) {
    this.#sink = sink;
  }

  addReadme(text: string): void {
    this.#add(README_FILE, Buffer.from(text));
  }

  /** Both forms, from the key itself: whatever else its file said is not in them. */
  addKey({ kid, publicKey }: PublicKey): void {
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'Ed25519', use: 'sig' };
    this.#add(`keys/${kid}.jwk.json`, Buffer.from(`${JSON.stringify(jwk, null, 2)}\n`));
    this.#add(`keys/${kid}.pem`, Buffer.from(publicKey.export({ format: 'pem', type: 'spki' })));
  }

  /** A copy of one that is in it already is left out; another one of the same number is kept under its digest as well. */
  addDocument({ sequence, digest, startMs, isBeyond, octets, signature }: BundledDocument): void {
    const named = this.#named.get(sequence);
    if (named === digest || this.#others.has(digest)) return;
    if (named === undefined) this.#named.set(sequence, digest);
    else this.#others.add(digest);
    const folder = isBeyond ? 'later' : `documents/${new Date(startMs).toISOString().slice(0, 10)}`;
    const number = documentName(sequence).replace(/\.jws$/, named === undefined ? '' : `.${digest}`);
    const path = `${folder}/${number}`;
    this.#add(`${path}.json`, octets, Buffer.from(digest, 'base64url').toString('hex'));
    this.#add(`${path}.jws`, Buffer.from(`${signature}\n`));
  }

  /** Writes the manifest, and the verdict, which it does not cover: that says when it was made. */
  finish(verdict: { text: string; json: string }): void {
    this.#sink.write('SHA256SUMS', Buffer.from(`${this.#lines.sort(byPath).join('\n')}\n`));
    this.#sink.write('verdict.txt', Buffer.from(verdict.text));
    this.#sink.write('verdict.json', Buffer.from(verdict.json));
    this.#sink.finish();
  }

  #add(path: string, octets: Uint8Array, sha256Hex = createHash('sha256').update(octets).digest('hex')): void {
    this.#sink.write(path, octets);
    this.#lines.push(`${sha256Hex}  ${path}`);
  }
}

const DIGEST_DIGITS = 64;

function byPath(a: string, b: string): number {
  return a.slice(DIGEST_DIGITS) < b.slice(DIGEST_DIGITS) ? -1 : 1;
}
