/** What a Session-Sender keeps of each session: key, layout of the packet, what answers, packets sent. */

import type { PacketMac } from '../wire/packet-mac.ts';
import { AUTHENTICATED, type StampMode, UNAUTHENTICATED } from '../wire/stamp-mode.ts';
import { layOutTlvs, type TlvLayout } from '../wire/stamp-tlv-layout.ts';
import { PopprobeError } from '../base/errors.ts';
import { HmacSha256Mac } from './packet-mac.ts';
import type { PathPlan } from './plan.ts';

export interface SenderSession {
  readonly mode: StampMode;
  /** Null in unauthenticated mode. */
  readonly mac: PacketMac | null;
  readonly layout: TlvLayout;
  readonly hasTlvs: boolean;
  /** RFC 8762 section 4.6: replies have no SSID and may be short. */
  readonly isTwampLight: boolean;
  /** Packets that left this host, or are about to. */
  sent: number;
}

/** One for each STAMP path, null for an ICMP path. Throws config_conflict when a size holds no packet with these TLVs. */
export function senderSessions(paths: readonly PathPlan[]): (SenderSession | null)[] {
  const layouts = new Map<string, TlvLayout>();
  return paths.map((path) => (path.kind === 'stamp' ? sessionOf(path, layouts) : null));
}

function sessionOf(path: PathPlan, layouts: Map<string, TlvLayout>): SenderSession {
  const [key, ...older] = path.keys;
  const mode = key ? AUTHENTICATED : UNAUTHENTICATED;
  const name = [path.sizeBytes, mode.baseBytes, path.dscp, ...path.tlvs].join(' ');
  const layout = layouts.get(name) ?? layOut(path, mode);
  layouts.set(name, layout);
  return {
    mode,
    mac: key ? new HmacSha256Mac(key, ...older) : null,
    layout,
    hasTlvs: path.tlvs.length > 0,
    isTwampLight: path.reflector === 'twamp_light',
    sent: 0,
  };
}

function layOut(path: PathPlan, mode: StampMode): TlvLayout {
  const { tlvs: names, dscp: replyDscp, sizeBytes } = path;
  const layout = layOutTlvs({ mode, names, replyDscp, protect: false, paddingSeed: path.ssid }, sizeBytes);
  if (layout) return layout;
  throw new PopprobeError('config_conflict', {
    expected: `a packet that holds ${names.join(', ') || 'Extra Padding'} besides its ${mode.baseBytes} octets`,
    found: `size_bytes ${sizeBytes}`,
    remedy: 'run "popprobe check" on the mesh, which names the sizes that do',
  });
}
