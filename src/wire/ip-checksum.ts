/** The Internet checksum: the sum over octets (RFC 1071), and what a changed sum makes of it (RFC 1624). */

/**
 * The one's complement sum of `length` octets at `offset`, 16 bits, not yet complemented; 0xffff over octets that contain
 * their right checksum. An odd last octet is the high one of its word. `before` is the sum of other octets, or any number
 * below 2^31 - 2^16 that counts like them, such as a pseudo-header's fields.
 */
export function onesComplementSum(view: DataView, offset: number, length: number, before = 0): number {
  let sum = before;
  const even = length & ~1;
  for (let at = 0; at < even; at += 2) sum += view.getUint16(offset + at);
  if (length !== even) sum += view.getUint8(offset + even) << 8;
  return folded(sum);
}

/**
 * The checksum after some of its octets changed, from their sums `before` and `after` (RFC 1624 equation 3). A checksum that
 * was wrong stays wrong by as much.
 */
export function updatedChecksum(checksum: number, before: number, after: number): number {
  return ~folded((~checksum & 0xffff) + (~before & 0xffff) + after) & 0xffff;
}

/** Adds the carries back in. Twice is enough below 2^32: once leaves at most 0x1fffe. */
function folded(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}
