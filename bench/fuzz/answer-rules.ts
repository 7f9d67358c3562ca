/** What a Session-Reflector may answer, written down from the RFCs: independent of the product's own decisions. */

/** Octets of a base packet, either way (RFC 8762 sections 4.2 and 4.3). */
const BASE_BYTES = 44;
/** A request has to be this long to name its session at all: the SSID is in its octets 14 and 15 (RFC 8972 section 3). */
const SSID_OFFSET = 14;
const NAMED_BYTES = SSID_OFFSET + 2;

/** The only sender that is provisioned: its source port, and sessions 1 to `sessions`. */
export interface Provisioned {
  sourcePort: number;
  sessions: number;
}

/**
 * Octets of the only answer that a request of `length` octets from `sourcePort` may get: its own length, so that nobody
 * is flooded by us, or the base packet's where it was shorter (RFC 8762 section 4.6). 0: it may get none.
 */
export function permittedLength(
  view: DataView,
  offset: number,
  length: number,
  sourcePort: number,
  { sourcePort: provisionedPort, sessions }: Provisioned,
): number {
  if (length < NAMED_BYTES || sourcePort !== provisionedPort) return 0;
  const ssid = view.getUint16(offset + SSID_OFFSET);
  return ssid >= 1 && ssid <= sessions ? Math.max(BASE_BYTES, length) : 0;
}

/** Whether a reply carries the request's number, timestamp, error estimate and session, and zeros where they must be. */
export function answers(reply: DataView, replyAt: number, request: DataView, requestAt: number): boolean {
  return (
    reply.getUint32(replyAt + 24) === request.getUint32(requestAt) &&
    reply.getUint32(replyAt + 28) === request.getUint32(requestAt + 4) &&
    reply.getUint32(replyAt + 32) === request.getUint32(requestAt + 8) &&
    reply.getUint16(replyAt + 36) === request.getUint16(requestAt + 12) &&
    reply.getUint16(replyAt + 14) === request.getUint16(requestAt + 14) &&
    reply.getUint16(replyAt + 38) === 0 &&
    (reply.getUint32(replyAt + 40) & 0xff_ffff) === 0
  );
}
