/** Where the two modes of STAMP keep what must be found before a packet is decoded (RFC 8762 section 4, RFC 8972 section 3). */

/** Unauthenticated or authenticated: configuration, never guessed from a packet. Octets are counted from its start. */
export interface StampMode {
  readonly authenticated: boolean;
  /** Octets of the base packet; TLVs follow. */
  readonly baseBytes: number;
  readonly timestampAt: number;
  readonly errorEstimateAt: number;
  readonly ssidAt: number;
  /** In a reply: the copy of the request's sequence number. */
  readonly senderSequenceAt: number;
}

export const UNAUTHENTICATED: StampMode = {
  authenticated: false,
  baseBytes: 44,
  timestampAt: 4,
  errorEstimateAt: 12,
  ssidAt: 14,
  senderSequenceAt: 24,
};

export const AUTHENTICATED: StampMode = {
  authenticated: true,
  baseBytes: 112,
  timestampAt: 16,
  errorEstimateAt: 24,
  ssidAt: 26,
  senderSequenceAt: 48,
};

/**
 * The SSID of a packet of `length` octets, -1 when it ends before. It names the session and with it the key, so it is
 * needed before the HMAC can be verified, and nothing else may be used until then.
 */
export function readSsid(view: DataView, offset: number, length: number, mode: StampMode): number {
  return length < mode.ssidAt + 2 ? -1 : view.getUint16(offset + mode.ssidAt);
}

/** Octets of the reply to a request of `length` octets: as long, and never shorter than the base packet (RFC 8762 section 4.6). */
export function replyBytes(length: number, mode: StampMode): number {
  return Math.max(length, mode.baseBytes);
}
