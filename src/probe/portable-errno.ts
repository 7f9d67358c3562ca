/** What Node.js and raw-socket say of a failed call, as the errno of Linux: documents mean the same on every platform. */

import { getSystemErrorMap } from 'node:util';
import { errnoNumber } from '../linux/errno.ts';

const EIO = 5;
const ERRNO_MAX = 255;

/** Sentences of C libraries that differ from Node.js' own for the same error. */
const OTHER_SENTENCES: Readonly<Record<string, string>> = {
  'address family not supported by protocol': 'EAFNOSUPPORT',
  'address family not supported by protocol family': 'EAFNOSUPPORT',
  'cannot allocate memory': 'ENOMEM',
  'cannot assign requested address': 'EADDRNOTAVAIL',
  "can't assign requested address": 'EADDRNOTAVAIL',
  'message too large': 'EMSGSIZE',
  'network unreachable': 'ENETUNREACH',
  'no route to host': 'EHOSTUNREACH',
};

let namesBySentence: ReadonlyMap<string, string> | null = null;

/** The errno of an error of Node.js: by its name, or else its own number. */
export function errnoOfNodeError(error: unknown): number {
  const { code, errno } = (error ?? {}) as { code?: unknown; errno?: unknown };
  const known = typeof code === 'string' ? errnoNumber(code) : null;
  if (known !== null) return known;
  return typeof errno === 'number' && errno < 0 && errno >= -ERRNO_MAX ? -errno : EIO;
}

/** The errno of an error of raw-socket, which has nothing but strerror's sentence. */
export function errnoOfSentence(error: unknown): number {
  const sentence = (error instanceof Error ? error.message : String(error)).toLowerCase();
  namesBySentence ??= new Map([...getSystemErrorMap().values()].map(([name, text]) => [text.toLowerCase(), name]));
  const name = OTHER_SENTENCES[sentence] ?? namesBySentence.get(sentence);
  return (name === undefined ? null : errnoNumber(name)) ?? EIO;
}
