/** The Internet checksum written in another way than the product's, to check what the product writes. */

/** RFC 1071 as plainly as it can be written: the right checksum makes this 0. */
export function plainChecksum(octets: Uint8Array): number {
  let sum = 0n;
  for (const [index, octet] of octets.entries()) sum += BigInt(octet) << (index % 2 === 0 ? 8n : 0n);
  while (sum > 0xffffn) sum = (sum & 0xffffn) + (sum >> 16n);
  return Number(~sum & 0xffffn);
}

/**
 * The same over the payload of a whole IP packet without extension headers, with the pseudo-header that UDP has in both
 * families and ICMP in IPv6 (RFC 768, RFC 8200 section 8.1).
 */
export function plainTransportChecksum(packet: Uint8Array): number {
  const isIpv4 = (packet[0] ?? 0) >>> 4 === 4;
  const headerBytes = isIpv4 ? ((packet[0] ?? 0) & 15) * 4 : 40;
  const payload = packet.subarray(headerBytes);
  const protocol = packet[isIpv4 ? 9 : 6] ?? 0;
  if (isIpv4 && protocol === 1) return plainChecksum(payload);
  const addresses = isIpv4 ? packet.subarray(12, 20) : packet.subarray(8, 40);
  return plainChecksum(
    Uint8Array.from([...addresses, 0, protocol, payload.length >>> 8, payload.length & 0xff, ...payload]),
  );
}
