/** When the host that sent a probe's packet says that it did: T1 of a request, T3 of a STAMP reply, whoever reads it on the way. */

import { NS_PER_S, type Stamp } from '../base/units.ts';
import { isPtpFormat } from './error-estimate.ts';
import { ECHO_MARKS } from './icmp-echo.ts';
import type { IpPacket } from './ip-packet.ts';
import { readNtp } from './ntp-time.ts';
import { PROBE_KIND, PROBE_ROLE, type ProbeMark } from './probe-mark.ts';
import { AUTHENTICATED, UNAUTHENTICATED } from './stamp-mode.ts';
import { UDP_HEADER_BYTES } from './udp-datagram.ts';

const ECHO_STAMP_BYTES = 8;

const instant: Stamp = { seconds: 0, nanoseconds: 0 };

/**
 * ns since the Unix epoch by the sending host's CLOCK_REALTIME, to a quarter of a microsecond; NaN where the packet, of which
 * `mark` was read, does not say: an echo reply has the request's T1, and a PTP stamp is TAI.
 */
export function probeStampNs(view: DataView, packet: IpPacket, mark: ProbeMark): number {
  if (mark.role === PROBE_ROLE.none) return Number.NaN;
  if (mark.kind === PROBE_KIND.icmp) return mark.role === PROBE_ROLE.request ? echoStampNs(view, packet) : Number.NaN;
  const at = packet.payloadOffset + UDP_HEADER_BYTES;
  const mode = mark.authenticated ? AUTHENTICATED : UNAUTHENTICATED;
  if (isPtpFormat(view.getUint16(at + mode.errorEstimateAt))) return Number.NaN;
  readNtp(view, at + mode.timestampAt, instant);
  return instant.seconds * NS_PER_S + instant.nanoseconds;
}

function echoStampNs(view: DataView, { payloadOffset, payloadBytes }: IpPacket): number {
  if (payloadBytes < ECHO_MARKS.stampAt + ECHO_STAMP_BYTES) return Number.NaN;
  const at = payloadOffset + ECHO_MARKS.stampAt;
  return view.getUint32(at) * NS_PER_S + view.getUint32(at + 4);
}
