/** Opens, configures and closes sockets; each failure says which call, which errno, and what to do. */

import type { PopprobeError } from '../base/errors.ts';
import { type IpAddress, type IpFamily, familyOf } from '../base/ip-address.ts';
import { Arena } from './arena.ts';
import {
  AF_INET,
  AF_INET6,
  IP_MTU_DISCOVER,
  IP_PMTUDISC_DO,
  IP_RECVERR,
  IP_RECVTOS,
  IP_RECVTTL,
  IP_TOS,
  IP_TTL,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_MTU_DISCOVER,
  IPV6_RECVERR,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVTCLASS,
  IPV6_TCLASS,
  IPV6_UNICAST_HOPS,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_SNDBUF,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_SOCKET,
} from './constants.ts';
import { errnoName } from './errno.ts';
import { formatIp } from './ip-text.ts';
import { libc, syscallError } from './libc.ts';
import { endpointOf, SOCKADDR_BYTES_MAX, writeSockaddr } from './sockaddr.ts';
import { setOption, trySetOption } from './socket-option.ts';

/** `icmp_ping` is the datagram ICMP socket that needs no capability, only net.ipv4.ping_group_range. */
export type SocketKind = 'udp' | 'icmp_raw' | 'icmp_ping';

/** The TTL that STAMP asks for (RFC 4656 section 4.1.2), so that hop counts can be read off at the other end. */
const TTL = 255;

/** Opens a non-blocking socket. Returns the descriptor, or the negated errno. */
export function tryOpenSocket(kind: SocketKind, family: IpFamily): number {
  const type = kind === 'icmp_raw' ? SOCK_RAW : SOCK_DGRAM;
  const icmp = family === 'ipv4' ? IPPROTO_ICMP : IPPROTO_ICMPV6;
  const protocol = kind === 'udp' ? IPPROTO_UDP : icmp;
  const domain = family === 'ipv4' ? AF_INET : AF_INET6;
  const fd = libc().socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  return fd < 0 ? -libc().errno() : fd;
}

/** Binds to an address and port; for a ping socket the port is the ICMP identifier. Throws syscall_failed. */
export function bindSocket(fd: number, address: IpAddress, port: number): void {
  const arena = new Arena(SOCKADDR_BYTES_MAX);
  const bytes = writeSockaddr(arena.view, 0, endpointOf(address, port));
  if (libc().bind(fd, arena.address(0), bytes) !== 0) throw bindError(address, port, libc().errno());
}

/** The error of an address or port that is not to be had. */
export function bindError(address: IpAddress, port: number, errno: number): PopprobeError {
  return syscallError(
    `bind to ${formatIp(address)} port ${port}`,
    errno,
    errnoName(errno) === 'EACCES'
      ? 'ports below 1024 need CAP_NET_BIND_SERVICE: run as root, or choose another port'
      : 'give this host the address, or stop the program that uses the port',
  );
}

export interface SocketSettings {
  kind: SocketKind;
  /** Local address; it decides the family. */
  address: IpAddress;
  dscp: number;
  receiveBufferBytes: number;
}

/** What every probing and reflecting socket has: buffers, TTL, DSCP, DF, and errors and header fields reported. */
export function configureSocket(fd: number, { kind, address, dscp, receiveBufferBytes }: SocketSettings): void {
  // The forced size ignores net.core.rmem_max but needs CAP_NET_ADMIN; without it the kernel caps the request.
  if (trySetOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, receiveBufferBytes) !== 0) {
    setOption(fd, SOL_SOCKET, SO_RCVBUF, receiveBufferBytes);
  }
  setOption(fd, SOL_SOCKET, SO_SNDBUF, receiveBufferBytes);
  if (familyOf(address) === 'ipv4') configureIpv4(fd, dscp, handsOutHeader(kind, address));
  else configureIpv6(fd, dscp);
}

/** Whether what a socket receives begins with the IP header: with a raw IPv4 socket alone. */
export function handsOutHeader(kind: SocketKind, address: IpAddress): boolean {
  return kind === 'icmp_raw' && familyOf(address) === 'ipv4';
}

function configureIpv4(fd: number, dscp: number, hasHeader: boolean): void {
  setOption(fd, IPPROTO_IP, IP_TTL, TTL);
  setOption(fd, IPPROTO_IP, IP_TOS, dscp << 2);
  if (!hasHeader) {
    setOption(fd, IPPROTO_IP, IP_RECVTTL, 1);
    setOption(fd, IPPROTO_IP, IP_RECVTOS, 1);
  }
  setOption(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
  // Also makes the kernel report ENOBUFS, which it hides otherwise.
  setOption(fd, IPPROTO_IP, IP_RECVERR, 1);
}

function configureIpv6(fd: number, dscp: number): void {
  setOption(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, TTL);
  setOption(fd, IPPROTO_IPV6, IPV6_TCLASS, dscp << 2);
  setOption(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
  setOption(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  setOption(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IP_PMTUDISC_DO);
  setOption(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
}

/** Closes a descriptor. */
export function closeSocket(fd: number): void {
  if (libc().close(fd) !== 0) throw syscallError('close', libc().errno(), 'report this as a bug of popprobe');
}
