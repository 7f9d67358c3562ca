/** Packets that Linux 6.18 sent, complete with its checksums: read from a TUN device, or recorded at a host behind a router. */

import { fromHex, toHex } from './bytes.ts';

/** A bare STAMP request from port 40000 to 862: sequence 1, Error Estimate 8f84, SSID 1234. */
const IPV4 = '450000480000400040119c7d c6120901 c6120902 9c40035e0034';
const IPV6 = '6000816c00341140 20010db8000900000000000000000001 20010db8000900000000000000000002 9c40035e0034';

/** The same request with one T1 and another: the UDP checksums are the kernel's own. */
const STAMPS = [
  { t1: 'e8fe6f8080000000', laterNs: 0, ipv4: '4786', ipv6: '8a27' },
  { t1: 'e8fe6f81c0000004', laterNs: 1_250_000_001, ipv4: '0781', ipv6: '4a22' },
  { t1: 'e8fe61707fffffe1', laterNs: -3_600_000_000_007, ipv4: '55b5', ipv6: '9856' },
  { t1: 'e8fe6f8080000015', laterNs: 5, ipv4: '4771', ipv6: '8a12' },
] as const;

export interface LinuxRequest {
  /** How much later than in the first of them T1 is. */
  laterNs: number;
  ipv4: Uint8Array;
  ipv6: Uint8Array;
}

export const LINUX_REQUESTS: readonly LinuxRequest[] = STAMPS.map(({ t1, laterNs, ipv4, ipv6 }) => {
  const data = `00000001${t1}8f841234${'00'.repeat(28)}`;
  return { laterNs, ipv4: fromHex(IPV4 + ipv4 + data), ipv6: fromHex(IPV6 + ipv6 + data) };
});

/** The first of the requests above. */
export function linuxRequest(family: 'ipv4' | 'ipv6'): Uint8Array {
  return Uint8Array.from(LINUX_REQUESTS[0]?.[family] ?? []);
}

export interface RouterError {
  name: string;
  family: 'ipv4' | 'ipv6';
  /** The packet as its sender wrote it, and as it came to the router. */
  packet: Uint8Array;
  router: Uint8Array;
  /** Of the next link; 0 where the hops were used up. */
  mtuBytes: number;
  /** The error's octets from the ICMP header on, in hex. */
  icmp: string;
}

/** UDP data of the packets that the router refused. */
function pattern(bytes: number): string {
  return toHex(Uint8Array.from({ length: bytes }, (_, index) => index * 7 + 3));
}

const UDP44 = `9c40035e0034906d${pattern(44)}`;
const UDP44_IPV6 = `9c40035e00345bbe${pattern(44)}`;
const UDP1400 = `9c40035e058095b9${pattern(1400)}`;
const UDP1400_IPV6 = `9c40035e0580610a${pattern(1400)}`;
const ADDRESSES = 'c6120101c6120302';
const ADDRESSES_IPV6 = '20010db800010000000000000000000120010db8000300000000000000000002';
const ROUTER = 'c6120102';
const ROUTER_IPV6 = '20010db8000100000000000000000002';

/** What a Linux router answered: the ICMP header, then as many octets of the packet. */
const ERRORS = [
  ['short, no hops left', `45000048000040000111e97d${ADDRESSES}${UDP44}`, ROUTER, 0, '0b00d73700000000', 72],
  ['long, no hops left', `45000594000040000111e431${ADDRESSES}${UDP1400}`, ROUTER, 0, '0b00da2a00000000', 548],
  ['too big', `45000594000040004011a531${ADDRESSES}${UDP1400}`, ROUTER, 1400, '0304dcae00000578', 548],
  ['short, no hops left', `6003c47300341101${ADDRESSES_IPV6}${UDP44_IPV6}`, ROUTER_IPV6, 0, '030026ac00000000', 92],
  ['long, no hops left', `6003c47305801101${ADDRESSES_IPV6}${UDP1400_IPV6}`, ROUTER_IPV6, 0, '03001ac500000000', 1232],
  ['too big', `6003c47305801140${ADDRESSES_IPV6}${UDP1400_IPV6}`, ROUTER_IPV6, 1400, '0200160e00000578', 1232],
] as const;

export const ROUTER_ERRORS: readonly RouterError[] = ERRORS.map(([name, packet, router, mtuBytes, header, quoted]) => ({
  name,
  family: packet.startsWith('4') ? 'ipv4' : 'ipv6',
  packet: fromHex(packet),
  router: fromHex(router),
  mtuBytes,
  icmp: header + packet.slice(0, 2 * quoted),
}));
