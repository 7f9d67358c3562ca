/** The addresses of the benchmarks' network: a PoP host at the near end and its peers at the far end, in both families. */

import type { IpFamily } from '../src/base/ip-address.ts';
import { SETTINGS } from './settings.ts';

/** The PoP host: RFC 2544 benchmarking and RFC 3849 documentation addresses. */
export const NEAR_ADDRESS: Record<IpFamily, string> = { ipv4: '198.18.0.1', ipv6: '2001:db8::1' };

/** A second address of the near host, which no reflector has been told of. */
export const STRANGER_ADDRESS = '198.18.0.3';

/** The address of peer number `peer`, 1 and up. */
export function farAddress(peer: number, family: IpFamily = 'ipv4'): string {
  return family === 'ipv4' ? `198.19.${peer >> 8}.${peer & 255}` : `2001:db8:1::${peer.toString(16)}`;
}

/** The peers' IPv4 addresses, all at the far end. */
export const FAR_ADDRESSES: readonly string[] = Array.from({ length: SETTINGS.targets }, (_, i) => farAddress(i + 1));
