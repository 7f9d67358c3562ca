/**
 * Lets a raw ICMP socket see echo replies with one identifier only: everything else in the network namespace would cost
 * receive buffer, and its overflow would look like loss.
 */

import type { IpFamily } from '../base/ip-address.ts';
import { Arena } from './arena.ts';
import {
  ICMP_FILTER,
  ICMPV6_FILTER,
  IPPROTO_ICMPV6,
  LAYOUT,
  SO_ATTACH_FILTER,
  SOL_RAW,
  SOL_SOCKET,
} from './constants.ts';
import { libc, syscallError } from './libc.ts';
import { setOption } from './socket-option.ts';

const ECHO_REPLY = 0;
const ECHO_REPLY_V6 = 129;
/** ICMPV6_FILTER: 256 bits, one a type, set where the type is dropped. */
const TYPE_FILTER_V6_BYTES = 32;

type Instruction = readonly [code: number, jt: number, jf: number, k: number];

/** Sets both filters of the socket, by type and by identifier. Throws syscall_failed. */
export function filterEchoReplies(fd: number, family: IpFamily, identifier: number): void {
  if (family === 'ipv4') {
    setOption(fd, SOL_RAW, ICMP_FILTER, ~(1 << ECHO_REPLY));
    // The message begins with the IP header, whose length is in its first octet: ldx 4*([0]&0xf); ldh [x+4].
    attach(fd, [[0xb1, 0, 0, 0], [0x48, 0, 0, 4], ...accepting(identifier)]);
  } else {
    passOnlyType(fd, ECHO_REPLY_V6);
    // The message begins with the ICMPv6 header: ldh [4].
    attach(fd, [[0x28, 0, 0, 4], ...accepting(identifier)]);
  }
}

/** jeq identifier: accept, else drop. */
function accepting(identifier: number): Instruction[] {
  return [
    [0x15, 0, 1, identifier],
    [0x06, 0, 0, 0xffff],
    [0x06, 0, 0, 0],
  ];
}

function passOnlyType(fd: number, type: number): void {
  const arena = new Arena(TYPE_FILTER_V6_BYTES);
  for (let word = 0; word < TYPE_FILTER_V6_BYTES / 4; word += 1) {
    const passed = type >> 5 === word ? 1 << (type & 31) : 0;
    arena.view.setInt32(word * 4, ~passed, true);
  }
  if (libc().setsockopt(fd, IPPROTO_ICMPV6, ICMPV6_FILTER, arena.address(0), TYPE_FILTER_V6_BYTES) !== 0) {
    throw syscallError('setsockopt(ICMPV6_FILTER)', libc().errno(), 'use a kernel with ICMPv6 filters');
  }
}

function attach(fd: number, program: readonly Instruction[]): void {
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
