/** Numbers of the Linux ABI (asm-generic: x86_64 and arm64), as linux-libc-dev 6.1 prints them. */

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0x800;
export const SOCK_CLOEXEC = 0x80000;
export const IPPROTO_IP = 0;
export const IPPROTO_ICMP = 1;
export const IPPROTO_UDP = 17;
export const IPPROTO_IPV6 = 41;
export const IPPROTO_ICMPV6 = 58;

export const SOL_SOCKET = 1;
export const SOL_RAW = 255;
export const SO_RCVBUF = 8;
export const SO_SNDBUF = 7;
export const SO_ATTACH_FILTER = 26;
export const SO_RCVBUFFORCE = 33;
export const SO_MEMINFO = 55;
export const SO_TIMESTAMPING_NEW = 65;
export const SCM_TS_OPT_ID = 81;

export const IP_TOS = 1;
export const IP_TTL = 2;
export const IP_MTU_DISCOVER = 10;
export const IP_PMTUDISC_DO = 2;
export const IP_RECVERR = 11;
export const IP_RECVTTL = 12;
export const IP_RECVTOS = 13;
export const ICMP_FILTER = 1;

export const IPV6_UNICAST_HOPS = 16;
export const IPV6_MTU_DISCOVER = 23;
export const IPV6_RECVERR = 25;
export const IPV6_RECVHOPLIMIT = 51;
export const IPV6_HOPLIMIT = 52;
export const IPV6_RECVTCLASS = 66;
export const IPV6_TCLASS = 67;
export const ICMPV6_FILTER = 1;

export const MSG_DONTWAIT = 0x40;
export const MSG_ERRQUEUE = 0x2000;
export const MSG_TRUNC = 0x20;
export const POLLIN = 0x1;

export const SOF_TIMESTAMPING_TX_SOFTWARE = 0x2;
export const SOF_TIMESTAMPING_RX_SOFTWARE = 0x8;
export const SOF_TIMESTAMPING_SOFTWARE = 0x10;
export const SOF_TIMESTAMPING_OPT_ID = 0x80;
export const SOF_TIMESTAMPING_OPT_TSONLY = 0x800;

export const SO_EE_ORIGIN_ICMP = 2;
export const SO_EE_ORIGIN_ICMP6 = 3;
export const SO_EE_ORIGIN_TIMESTAMPING = 4;

/** madvise(2): for a private mapping of a file, the next access reads the file again. */
export const MADV_DONTNEED = 4;

export const TUNSETIFF = 0x4004_54ca;
export const IFF_TUN = 0x1;
/** Packets come without the four octets that would say what they are. */
export const IFF_NO_PI = 0x1000;
export const CLONE_NEWNET = 0x4000_0000;
export const LOCK_EX = 2;
export const LOCK_NB = 4;
export const SCHED_FIFO = 1;

export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC = 1;
export const CLOCK_BOOTTIME = 7;
export const TIMER_ABSTIME = 1;

/** Index of the dropped datagrams in what SO_MEMINFO answers, and the number of its u32s. */
export const SK_MEMINFO_RCVBUF = 1;
export const SK_MEMINFO_DROPS = 8;
export const SK_MEMINFO_VARS = 9;

/** What adjtimex returns while nothing vouches for the clock. */
export const TIME_ERROR = 5;
export const STA_PLL = 0x1;
export const STA_UNSYNC = 0x40;
export const STA_NANO = 0x2000;

/** Sizes and offsets of the structures that are read and written by hand; `libc.ts` asserts them at start. */
export const LAYOUT = {
  timespec: { size: 16, tv_sec: 0, tv_nsec: 8 },
  iovec: { size: 16, iov_base: 0, iov_len: 8 },
  msghdr: {
    size: 56,
    msg_name: 0,
    msg_namelen: 8,
    msg_iov: 16,
    msg_iovlen: 24,
    msg_control: 32,
    msg_controllen: 40,
    msg_flags: 48,
  },
  mmsghdr: { size: 64, msg_hdr: 0, msg_len: 56 },
  cmsghdr: { size: 16, cmsg_len: 0, cmsg_level: 8, cmsg_type: 12 },
  sockaddr_in: { size: 16, sin_family: 0, sin_port: 2, sin_addr: 4, sin_zero: 8 },
  sockaddr_in6: { size: 28, sin6_family: 0, sin6_port: 2, sin6_flowinfo: 4, sin6_addr: 8, sin6_scope_id: 24 },
  sock_extended_err: {
    size: 16,
    ee_errno: 0,
    ee_origin: 4,
    ee_type: 5,
    ee_code: 6,
    ee_pad: 7,
    ee_info: 8,
    ee_data: 12,
  },
  pollfd: { size: 8, fd: 0, events: 4, revents: 6 },
  ifreq: { size: 40, ifr_name: 0, ifr_flags: 16 },
  sched_param: { size: 4, sched_priority: 0 },
  sock_filter: { size: 8, code: 0, jt: 2, jf: 3, k: 4 },
  sock_fprog: { size: 16, len: 0, filter: 8 },
  timex: { size: 208, modes: 0, offset: 8, maxerror: 24, esterror: 32, status: 40 },
} as const;
