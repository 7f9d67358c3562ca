/** IP addresses as the octets that stand in packets: comparing and copying them allocates nothing. */

export type IpFamily = 'ipv4' | 'ipv6';

/** An address in network order: 4 octets for IPv4, 16 for IPv6. */
export type IpAddress = Uint8Array;

export const IPV4_BYTES = 4;
export const IPV6_BYTES = 16;

export function familyOf(address: IpAddress): IpFamily {
  return address.length === IPV4_BYTES ? 'ipv4' : 'ipv6';
}

/** Whether the first `bytes` octets of `found`, which may hold more, are exactly this address. */
export function isAddress(address: IpAddress, found: Uint8Array, bytes: number): boolean {
  if (address.length !== bytes) return false;
  for (let at = 0; at < bytes; at += 1) if (address[at] !== found[at]) return false;
  return true;
}
