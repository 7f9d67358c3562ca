/** IP addresses from text and back. */

import { isIPv4, isIPv6 } from 'node:net';
import { PopprobeError } from '../base/errors.ts';
import { type IpAddress, IPV4_BYTES, IPV6_BYTES } from '../base/ip-address.ts';

const GROUPS = IPV6_BYTES / 2;

/** '192.0.2.1' or '2001:db8::1' as octets. Throws config_invalid_value for anything else, zones included. */
export function parseIp(text: string): IpAddress {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (isIPv6(text) && !text.includes('%')) return parseIpv6(text);
  throw new PopprobeError('config_invalid_value', {
    expected: 'an IP address such as 198.51.100.7 or 2001:db8::7',
    found: JSON.stringify(text),
    remedy: 'correct the address',
  });
}

/** The first `bytes` octets as text; IPv6 by RFC 5952. */
export function formatIp(address: Uint8Array, bytes = address.length): string {
  if (bytes === IPV4_BYTES) return address.subarray(0, IPV4_BYTES).join('.');
  const groups = Array.from({ length: GROUPS }, (_, at) => ((address[2 * at] ?? 0) << 8) | (address[2 * at + 1] ?? 0));
  const { first, length } = longestZeros(groups);
  const text = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  return length < 2 ? text(groups) : `${text(groups.slice(0, first))}::${text(groups.slice(first + length))}`;
}

function parseIpv6(text: string): IpAddress {
  const [head = '', tail] = text.split('::');
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array<number>(GROUPS - before.length - after.length).fill(0);
  return Uint8Array.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 255]));
}

/** The last group may be written as a dotted IPv4 address, which makes two. */
function groupsOf(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

function longestZeros(groups: readonly number[]): { first: number; length: number } {
  let best = { first: 0, length: 0 };
  let first = 0;
  for (const [at, group] of groups.entries()) {
    if (group !== 0) first = at + 1;
    else if (at + 1 - first > best.length) best = { first, length: at + 1 - first };
  }
  return best;
}
