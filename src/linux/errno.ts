/** errno as a name and as a sentence for the operator; the number is always kept beside them. */

interface ErrnoEntry {
  name: string;
  sentence: string;
}

const ERRNO: Readonly<Record<number, ErrnoEntry>> = {
  1: { name: 'EPERM', sentence: 'the local kernel forbids it: a firewall rule on this host, or a missing capability' },
  2: { name: 'ENOENT', sentence: 'no such file or option' },
  4: { name: 'EINTR', sentence: 'interrupted by a signal' },
  5: { name: 'EIO', sentence: 'the operating system failed in a way that has no number here' },
  9: { name: 'EBADF', sentence: 'the socket is closed' },
  11: { name: 'EAGAIN', sentence: 'the socket has no room or no data right now' },
  12: { name: 'ENOMEM', sentence: 'the local kernel is out of memory' },
  13: { name: 'EACCES', sentence: 'this user may not do it: run as root, or grant CAP_NET_RAW' },
  14: { name: 'EFAULT', sentence: 'a wrong address was handed to the kernel' },
  22: { name: 'EINVAL', sentence: 'this kernel does not know the option or value' },
  24: { name: 'EMFILE', sentence: 'too many open files in this process' },
  65: { name: 'ENOPKG', sentence: 'the package raw-socket cannot be loaded: run "npm ci" again on this machine' },
  90: { name: 'EMSGSIZE', sentence: 'the probe is larger than the MTU of the local interface or the known path' },
  92: { name: 'ENOPROTOOPT', sentence: 'this kernel does not have the option, or the peer has no such protocol' },
  93: { name: 'EPROTONOSUPPORT', sentence: 'this kernel does not have the protocol' },
  95: { name: 'EOPNOTSUPP', sentence: 'the portable transport cannot send packets of this kind with a DSCP' },
  97: { name: 'EAFNOSUPPORT', sentence: 'this kernel does not have the address family' },
  98: { name: 'EADDRINUSE', sentence: 'another program already uses the address and port' },
  99: { name: 'EADDRNOTAVAIL', sentence: 'the address is not configured on this host' },
  100: { name: 'ENETDOWN', sentence: 'the local interface is down' },
  101: { name: 'ENETUNREACH', sentence: 'this host has no route to the peer' },
  105: { name: 'ENOBUFS', sentence: 'the local interface queue is full' },
  111: { name: 'ECONNREFUSED', sentence: 'nothing listens on that port at the peer' },
  112: { name: 'EHOSTDOWN', sentence: 'the next hop does not answer' },
  113: { name: 'EHOSTUNREACH', sentence: 'no route to the host, or the next hop does not answer' },
  122: { name: 'EDQUOT', sentence: 'the quota of this user or folder is used up' },
};

/** 'EPERM', or 'errno 200' for a number without a name here. */
export function errnoName(errno: number): string {
  return ERRNO[errno]?.name ?? `errno ${errno}`;
}

/** 'EPERM (1): the local kernel forbids it: …' */
export function errnoSentence(errno: number): string {
  const entry = ERRNO[errno];
  return entry ? `${entry.name} (${errno}): ${entry.sentence}` : `errno ${errno}`;
}

const NUMBERS: ReadonlyMap<string, number> = new Map(
  Object.entries(ERRNO).map(([number, { name }]) => [name, Number(number)]),
);

/** The number that Linux gives a name, so that documents mean the same wherever they were made; null for other names. */
export function errnoNumber(name: string): number | null {
  return NUMBERS.get(name) ?? null;
}
