/** A bundle as a tar file (POSIX ustar): the same files give the same octets, whenever and by whomever it is made. */

import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { type BundleSink, onBundle } from './bundle-sink.ts';

const BLOCK_BYTES = 512;
const MODE = 0o644;
/** A name in the archive that every system can unpack, beside the paths within the bundle. */
const FOLDER = /^[\w][\w.,+=@ -]{0,99}$/;

/** It has its name when it is complete; what an interrupted run has left is begun anew. */
export class BundleTar implements BundleSink {
  readonly #file: string;
  readonly #descriptor: number;
  /** Everything in it is in one folder, called like the file where an archive can say that. */
  readonly #folder: string;

  /** @throws PopprobeError `bundle_unwritable` */
  constructor(file: string) {
    this.#file = file;
    const name = basename(file, '.tar');
    this.#folder = FOLDER.test(name) ? name : 'evidence';
    this.#descriptor = onBundle(file, () => openSync(`${file}.tmp`, 'w'));
  }

  write(path: string, octets: Uint8Array): void {
    onBundle(this.#file, () => {
      this.#append(tarHeader(`${this.#folder}/${path}`, octets.length));
      this.#append(octets);
      this.#append(Buffer.alloc(-octets.length & (BLOCK_BYTES - 1)));
    });
  }

  finish(): void {
    onBundle(this.#file, () => {
      // Two blocks of zeros end the archive.
      this.#append(Buffer.alloc(2 * BLOCK_BYTES));
      closeSync(this.#descriptor);
      renameSync(`${this.#file}.tmp`, this.#file);
    });
  }

  #append(octets: Uint8Array): void {
    for (let done = 0; done < octets.length; ) done += writeSync(this.#descriptor, octets, done);
  }
}

/** The header of a regular file of nobody, changed at the beginning of Unix time. `path` has up to 256 ASCII characters. */
function tarHeader(path: string, bytes: number): Uint8Array {
  const header = Buffer.alloc(BLOCK_BYTES);
  const [prefix, name] = splitPath(path);
  const fields: [at: number, text: string][] = [
    [0, name],
    [100, octal(MODE, 7)],
    [108, octal(0, 7)],
    [116, octal(0, 7)],
    [124, octal(bytes, 11)],
    [136, octal(0, 11)],
    // The checksum is made with spaces in its own place.
    [148, ' '.repeat(8)],
    [156, '0'],
    [257, 'ustar\x0000'],
    [345, prefix],
  ];
  for (const [at, text] of fields) header.write(text, at, 'latin1');
  const sum = header.reduce((total, octet) => total + octet, 0);
  header.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return header;
}

/** A name takes 100 octets; what is longer is divided at a slash. */
function splitPath(path: string): [prefix: string, name: string] {
  if (path.length <= 100) return ['', path];
  const at = path.indexOf('/', path.length - 101);
  return [path.slice(0, at), path.slice(at + 1)];
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
