/** IPv4 addresses as numbers: comparing and hashing them allocates nothing. */

import { isIPv4 } from 'node:net';
import { PopprobeError } from '../base/errors.ts';

/** '192.0.2.1' as an unsigned 32-bit number, most significant octet first. Throws config_invalid_value otherwise. */
export function parseIpv4(text: string): number {
  if (!isIPv4(text)) {
    throw new PopprobeError('config_invalid_value', {
      expected: 'an IPv4 address such as 198.51.100.7',
      found: JSON.stringify(text),
      remedy: 'correct the address',
    });
  }
  return text.split('.').reduce((number, octet) => number * 256 + Number(octet), 0);
}

/** The number as dotted text. */
export function formatIpv4(address: number): string {
  return [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255].join('.');
}
