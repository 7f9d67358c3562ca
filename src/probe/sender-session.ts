/** What a Session-Sender knows of each session: key, layout of the packet, what answers. Nothing of it changes. */

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
  /** The packet is longer than the base packet. */
  readonly isExtended: boolean;
  readonly hasTlvs: boolean;
  /** RFC 8762 section 4.6: replies have no SSID and may be short. */
  readonly isTwampLight: boolean;
}

/**
 * One for each STAMP path, null for an ICMP path; paths that differ in nothing but where they lead share one, which then is
 * in the cache. Throws config_conflict when a size holds no packet with these TLVs.
 */
export function senderSessions(paths: readonly PathPlan[]): (SenderSession | null)[] {
  const shared = new Map<string, SenderSession>();
  return paths.map((path) => (path.kind === 'stamp' ? sessionOf(path, shared) : null));
}

function sessionOf(path: PathPlan, shared: Map<string, SenderSession>): SenderSession {
  const [key, ...older] = path.keys;
  const mode = key ? AUTHENTICATED : UNAUTHENTICATED;
  const isTwampLight = path.reflector === 'twamp_light';
  const name = [path.sizeBytes, mode.baseBytes, path.dscp, isTwampLight, ...path.tlvs].join(' ');
  const alike = shared.get(name) ?? {
    mode,
    mac: null,
    layout: layOut(path, mode),
    isExtended: path.sizeBytes > mode.baseBytes,
    hasTlvs: path.tlvs.length > 0,
    isTwampLight,
  };
  shared.set(name, alike);
  return key ? { ...alike, mac: new HmacSha256Mac(key, ...older) } : alike;
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
