/** Reads JSON that everybody reads in the same way: UTF-8 without a mark, and no member twice. */

import { endOfString } from './json-extent.ts';

const QUOTE = 0x22;
const COLON = 0x3a;

/**
 * The value of a JSON text that is no deeper than a recursion may go.
 *
 * @throws TypeError when the octets are not UTF-8, SyntaxError when they are not JSON or an object names a member twice:
 * RFC 7493 section 2.3 forbids it, and of two readers one may take the first of them, the other the last
 */
export function parseJsonStrictly(octets: Uint8Array): unknown {
  // ignoreBOM keeps a byte order mark in the text, where JSON.parse refuses it (RFC 8259 section 8.1).
  const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets));
  // The parser keeps one of the two, so that there are fewer members than colons then.
  if (membersOf(value) !== colonsOf(octets)) throw new SyntaxError('an object names a member twice');
  return value;
}

function colonsOf(octets: Uint8Array): number {
  let colons = 0;
  for (let at = 0; at < octets.length; at += 1) {
    const octet = octets[at];
    if (octet === QUOTE) at = endOfString(octets, at + 1);
    else if (octet === COLON) colons += 1;
  }
  return colons;
}

/** Of all objects in the value. */
function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const values: unknown[] = Array.isArray(value) ? value : Object.values(value);
  let members = Array.isArray(value) ? 0 : values.length;
  for (const one of values) members += membersOf(one);
  return members;
}
