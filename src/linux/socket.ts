/** Opens, configures and closes sockets; each failure says which call, which errno, and what to do. */

import { Arena } from './arena.ts';
import {
  AF_INET,
  ICMP_FILTER,
  IP_MTU_DISCOVER,
  IP_PMTUDISC_DO,
  IP_RECVERR,
  IP_RECVTTL,
  IP_TOS,
  IP_TTL,
  IPPROTO_ICMP,
  IPPROTO_IP,
  IPPROTO_UDP,
  LAYOUT,
  SO_ATTACH_FILTER,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_RXQ_OVFL,
  SO_SNDBUF,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_RAW,
  SOL_SOCKET,
} from './constants.ts';
import { errnoName } from './errno.ts';
import { formatIpv4 } from './ipv4.ts';
import { libc, syscallError } from './libc.ts';

/** `icmp_ping` is the datagram ICMP socket that needs no capability, only net.ipv4.ping_group_range. */
export type SocketKind = 'udp' | 'icmp_raw' | 'icmp_ping';

/** The TTL that STAMP asks for (RFC 4656 section 4.1.2), so that hop counts can be read off at the other end. */
const TTL = 255;
const ECHO_REPLY = 0;

/** Opens a non-blocking socket. Returns the descriptor, or the negated errno. */
export function tryOpenSocket(kind: SocketKind): number {
  const type = kind === 'icmp_raw' ? SOCK_RAW : SOCK_DGRAM;
  const protocol = kind === 'udp' ? IPPROTO_UDP : IPPROTO_ICMP;
  const fd = libc().socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  return fd < 0 ? -libc().errno() : fd;
}

/** Binds to an address and port; for a ping socket the port is the ICMP identifier. Throws syscall_failed. */
export function bindSocket(fd: number, address: number, port: number): void {
  const arena = new Arena(LAYOUT.sockaddr_in.size);
  writeSockaddr(arena.view, 0, address, port);
  if (libc().bind(fd, arena.address(0), LAYOUT.sockaddr_in.size) === 0) return;
  const errno = libc().errno();
  const where = `${formatIpv4(address)} port ${port}`;
  throw syscallError(
    `bind to ${where}`,
    errno,
    errnoName(errno) === 'EACCES'
      ? 'ports below 1024 need CAP_NET_BIND_SERVICE: run as root, or choose another port'
      : 'give this host the address, or stop the program that uses the port',
  );
}

/** Writes a sockaddr_in at `offset`. */
export function writeSockaddr(view: DataView, offset: number, address: number, port: number): void {
  view.setUint16(offset, AF_INET, true);
  view.setUint16(offset + LAYOUT.sockaddr_in.sin_port, port);
  view.setUint32(offset + LAYOUT.sockaddr_in.sin_addr, address);
  view.setUint32(offset + 8, 0);
  view.setUint32(offset + 12, 0);
}

/** Sets an int option. Throws syscall_failed. */
export function setOption(fd: number, level: number, name: number, value: number): void {
  const errno = trySetOption(fd, level, name, value);
  if (errno !== 0)
    throw syscallError(`setsockopt(${level}, ${name}, ${value})`, errno, 'use a supported kernel (5.4 or newer)');
}

/** Sets an int option; returns 0 or the errno. */
function trySetOption(fd: number, level: number, name: number, value: number): number {
  const arena = new Arena(4);
  arena.view.setInt32(0, value, true);
  return libc().setsockopt(fd, level, name, arena.address(0), 4) === 0 ? 0 : libc().errno();
}

/** What every probing and reflecting socket has: buffers, TTL, DF, errors and drops reported. */
export function configureSocket(fd: number, dscp: number, receiveBufferBytes: number): void {
  // The forced size ignores net.core.rmem_max but needs CAP_NET_ADMIN; without it the kernel caps the request.
  if (trySetOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, receiveBufferBytes) !== 0) {
    setOption(fd, SOL_SOCKET, SO_RCVBUF, receiveBufferBytes);
  }
  setOption(fd, SOL_SOCKET, SO_SNDBUF, receiveBufferBytes);
  setOption(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
  setOption(fd, IPPROTO_IP, IP_TTL, TTL);
  setOption(fd, IPPROTO_IP, IP_TOS, dscp << 2);
  setOption(fd, IPPROTO_IP, IP_RECVTTL, 1);
  setOption(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
  // Also makes the kernel report ENOBUFS, which it hides otherwise.
  setOption(fd, IPPROTO_IP, IP_RECVERR, 1);
}

/**
 * Lets a raw ICMP socket see echo replies with this identifier only: everything else in the network namespace would
 * cost receive buffer, and its overflow would look like loss.
 */
export function filterEchoReplies(fd: number, identifier: number): void {
  setOption(fd, SOL_RAW, ICMP_FILTER, ~(1 << ECHO_REPLY));
  const program = [
    [0xb1, 0, 0, 0], // ldx 4*([0]&0xf): length of the IP header
    [0x48, 0, 0, 4], // ldh [x+4]: the identifier
    [0x15, 0, 1, identifier], // jeq
    [0x06, 0, 0, 0xffff], // accept
    [0x06, 0, 0, 0], // drop
  ] as const;
  const { sock_fprog, sock_filter } = LAYOUT;
  const arena = new Arena(sock_fprog.size + program.length * sock_filter.size);
  arena.view.setUint16(0, program.length, true);
  arena.setPointer(sock_fprog.filter, sock_fprog.size);
  for (const [index, [code, jt, jf, k]] of program.entries()) {
    const at = sock_fprog.size + index * sock_filter.size;
    arena.view.setUint16(at, code, true);
    arena.view.setUint8(at + sock_filter.jt, jt);
    arena.view.setUint8(at + sock_filter.jf, jf);
    arena.view.setUint32(at + sock_filter.k, k, true);
  }
  if (libc().setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, arena.address(0), sock_fprog.size) !== 0) {
    throw syscallError('setsockopt(SO_ATTACH_FILTER)', libc().errno(), 'use a kernel with socket filters');
  }
}

/** Closes a descriptor. */
export function closeSocket(fd: number): void {
  if (libc().close(fd) !== 0) throw syscallError('close', libc().errno(), 'report this as a bug of popprobe');
}
