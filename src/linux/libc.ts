/** The C library through koffi: every function that popprobe calls, and the assertion that our structures match its ABI. */

import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import { PopprobeError } from '../base/errors.ts';
import { LAYOUT } from './constants.ts';
import { errnoSentence } from './errno.ts';

type Koffi = typeof import('koffi');

/**
 * An address in this process. A number, not a bigint: user-space addresses stay below 2^47, and numbers are passed
 * without allocating.
 */
export type Address = number;

/** The functions of the C library; all return -1 and set errno on failure. */
export interface Libc {
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: Address, length: number): number;
  setsockopt(fd: number, level: number, name: number, value: Address, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: Address, length: Address): number;
  getsockname(fd: number, address: Address, length: Address): number;
  sendto(fd: number, from: Address, length: number, flags: number, address: Address, addressLength: number): number;
  sendmmsg(fd: number, messages: Address, count: number, flags: number): number;
  recvmmsg(fd: number, messages: Address, count: number, flags: number, timeout: Address): number;
  poll(fds: Address, count: number, timeoutMs: number): number;
  ppoll(fds: Address, count: number, timeout: Address, signals: Address): number;
  read(fd: number, into: Address, length: number): number;
  write(fd: number, from: Address, length: number): number;
  ioctl(fd: number, request: number, argument: Address): number;
  setns(fd: number, kind: number): number;
  flock(fd: number, operation: number): number;
  sched_setscheduler(thread: number, policy: number, parameters: Address): number;
  clock_gettime(clock: number, into: Address): number;
  /** Unlike the others it returns the errno itself. */
  clock_nanosleep(clock: number, flags: number, request: Address, remain: Address): number;
  adjtimex(timex: Address): number;
  madvise(address: Address, length: number, advice: number): number;
  close(fd: number): number;
  errno(): number;
  /** Address of the first octet of a buffer. The caller keeps the buffer alive; its octets never move. */
  addressOf(buffer: ArrayBuffer): Address;
}

const PROTOTYPES = {
  socket: 'int socket(int, int, int)',
  bind: 'int bind(int, intptr_t, uint32_t)',
  setsockopt: 'int setsockopt(int, int, int, intptr_t, uint32_t)',
  getsockopt: 'int getsockopt(int, int, int, intptr_t, intptr_t)',
  getsockname: 'int getsockname(int, intptr_t, intptr_t)',
  sendto: 'intptr_t sendto(int, intptr_t, size_t, int, intptr_t, uint32_t)',
  sendmmsg: 'int sendmmsg(int, intptr_t, uint32_t, int)',
  recvmmsg: 'int recvmmsg(int, intptr_t, uint32_t, int, intptr_t)',
  poll: 'int poll(intptr_t, uint64_t, int)',
  ppoll: 'int ppoll(intptr_t, uint64_t, intptr_t, intptr_t)',
  read: 'intptr_t read(int, intptr_t, size_t)',
  write: 'intptr_t write(int, intptr_t, size_t)',
  ioctl: 'int ioctl(int, unsigned long, intptr_t)',
  setns: 'int setns(int, int)',
  flock: 'int flock(int, int)',
  sched_setscheduler: 'int sched_setscheduler(int, int, intptr_t)',
  clock_gettime: 'int clock_gettime(int, intptr_t)',
  clock_nanosleep: 'int clock_nanosleep(int, int, intptr_t, intptr_t)',
  adjtimex: 'int adjtimex(intptr_t)',
  madvise: 'int madvise(intptr_t, size_t, int)',
  close: 'int close(int)',
} as const;

/** Members of the asserted structures, in C's order, as koffi types. */
const STRUCTS: Record<keyof typeof LAYOUT, Record<string, string>> = {
  timespec: { tv_sec: 'int64_t', tv_nsec: 'long' },
  iovec: { iov_base: 'void *', iov_len: 'size_t' },
  msghdr: {
    msg_name: 'void *',
    msg_namelen: 'uint32_t',
    msg_iov: 'void *',
    msg_iovlen: 'size_t',
    msg_control: 'void *',
    msg_controllen: 'size_t',
    msg_flags: 'int',
  },
  mmsghdr: { msg_hdr: 'popprobe_msghdr', msg_len: 'unsigned int' },
  cmsghdr: { cmsg_len: 'size_t', cmsg_level: 'int', cmsg_type: 'int' },
  sockaddr_in: { sin_family: 'uint16_t', sin_port: 'uint16_t', sin_addr: 'uint32_t', sin_zero: 'uint64_t' },
  sockaddr_in6: {
    sin6_family: 'uint16_t',
    sin6_port: 'uint16_t',
    sin6_flowinfo: 'uint32_t',
    sin6_addr: 'uint8_t [16]',
    sin6_scope_id: 'uint32_t',
  },
  sock_extended_err: {
    ee_errno: 'uint32_t',
    ee_origin: 'uint8_t',
    ee_type: 'uint8_t',
    ee_code: 'uint8_t',
    ee_pad: 'uint8_t',
    ee_info: 'uint32_t',
    ee_data: 'uint32_t',
  },
  pollfd: { fd: 'int', events: 'short', revents: 'short' },
  ifreq: { ifr_name: 'char [16]', ifr_flags: 'short', rest: 'uint8_t [22]' },
  sched_param: { sched_priority: 'int' },
  sock_filter: { code: 'uint16_t', jt: 'uint8_t', jf: 'uint8_t', k: 'uint32_t' },
  sock_fprog: { len: 'unsigned short', filter: 'void *' },
  timex: {
    modes: 'unsigned int',
    offset: 'long',
    freq: 'long',
    maxerror: 'long',
    esterror: 'long',
    status: 'int',
    constant: 'long',
    precision: 'long',
    tolerance: 'long',
    time: 'long [2]',
    tick: 'long',
    ppsfreq: 'long',
    jitter: 'long',
    shift: 'int',
    stabil: 'long',
    jitcnt: 'long',
    calcnt: 'long',
    errcnt: 'long',
    stbcnt: 'long',
    tai: 'int',
    reserved: 'int [11]',
  },
};

let loaded: Libc | null = null;

/**
 * The C library of this process, loaded and checked on the first call in each thread.
 * Throws kernel_unavailable where koffi or a function cannot be loaded, kernel_abi_mismatch where a structure differs.
 */
export function libc(): Libc {
  loaded ??= load();
  return loaded;
}

function load(): Libc {
  if (process.platform !== 'linux') throw unavailable(`the platform ${process.platform}`);
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi;
  } catch (cause) {
    throw unavailable('a koffi that cannot be loaded', cause);
  }
  assertAbi(koffi);
  const library = koffi.load(null);
  const functions = Object.fromEntries(
    Object.entries(PROTOTYPES).map(([name, prototype]) => [name, library.func(prototype)]),
  ) as unknown as Omit<Libc, 'errno' | 'addressOf'>;
  return {
    ...functions,
    errno: () => koffi.errno(),
    addressOf: (buffer) => Number(koffi.address(buffer)),
  };
}

function assertAbi(koffi: Koffi): void {
  if (endianness() !== 'LE') throw abiMismatch('a little-endian host', endianness());
  for (const [name, members] of Object.entries(STRUCTS)) {
    const type = koffi.struct(`popprobe_${name}`, members);
    const { size, ...offsets } = LAYOUT[name as keyof typeof LAYOUT];
    if (koffi.sizeof(type) !== size) throw abiMismatch(`struct ${name} of ${size} octets`, koffi.sizeof(type));
    for (const [member, offset] of Object.entries(offsets)) {
      const found = koffi.offsetof(type, member);
      if (found !== offset) throw abiMismatch(`${name}.${member} at offset ${offset}`, found);
    }
  }
}

function unavailable(found: string, cause?: unknown): PopprobeError {
  return new PopprobeError('kernel_unavailable', {
    expected: 'Linux with the koffi package working, for kernel timestamps',
    found,
    remedy: 'run "npm ci" again on this machine, or use a platform that koffi supports',
    cause,
  });
}

function abiMismatch(expected: string, found: unknown): PopprobeError {
  return new PopprobeError('kernel_abi_mismatch', {
    expected,
    found: String(found),
    remedy: 'popprobe runs on 64-bit little-endian Linux (x86_64, arm64)',
  });
}

/** An error for a system call that just failed: its name, the errno and the sentence for it. */
export function syscallError(call: string, errno: number, remedy: string): PopprobeError {
  return new PopprobeError('syscall_failed', { expected: `${call} to succeed`, found: errnoSentence(errno), remedy });
}
