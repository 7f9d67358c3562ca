/** The addresses that a configuration may name: of one host, without a zone, and comparable however they are written. */

import { isIPv6 } from 'node:net';
import { z } from 'zod';
import type { IpFamily } from '../base/ip-address.ts';

const UNICAST_IPV4 = 'an IPv4 address of one host, as 198.51.100.7';

export const unicastIpv4 = z.ipv4(UNICAST_IPV4).refine((address) => {
  const first = Number.parseInt(address, 10);
  return first >= 1 && first <= 223;
}, UNICAST_IPV4);

const UNICAST_IPV6 = 'an IPv6 address of one host that needs no zone, as 2001:db8::7';

export const unicastIpv6 = z.string(UNICAST_IPV6).refine(isUnicastIpv6, UNICAST_IPV6);

const UNICAST = 'an IPv4 or IPv6 address of one host, as 198.51.100.7 or 2001:db8::7';

export const unicastAddress = z
  .string(UNICAST)
  .refine((text) => unicastIpv4.safeParse(text).success || isUnicastIpv6(text), UNICAST);

/** The one spelling of an address; IPv6 in that of RFC 5952. Any other text is left as it is. */
export function canonicalAddress(text: string): string {
  if (!isIPv6(text) || text.includes('%')) return text;
  // The hosts of WHATWG URLs are serialised so.
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

export function familyOf(address: string): IpFamily {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}

/** Refused are ::, multicast (ff00::/8), link-local (fe80::/10) and IPv4-mapped addresses (::ffff:0:0/96; RFC 4291). */
function isUnicastIpv6(text: string): boolean {
  if (!isIPv6(text) || text.includes('%')) return false;
  const canonical = canonicalAddress(text);
  const first = Number.parseInt(`0${canonical.split(':')[0]}`, 16);
  const isMulticast = first >= 0xff00;
  const isLinkLocal = (first & 0xffc0) === 0xfe80;
  return canonical !== '::' && !isMulticast && !isLinkLocal && !/^::ffff:[\da-f]+:[\da-f]+$/.test(canonical);
}
