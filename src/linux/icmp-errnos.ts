/** The errnos that an ICMP error can leave behind on a socket, for the next call on it to trip over. */

/**
 * What Linux makes of ICMP (icmp_err_convert of net/ipv4/icmp.c) and ICMPv6 errors (tab_unreach of net/ipv6/icmp.c).
 * The local kernel may mean some of them itself: ENETUNREACH without a route, EMSGSIZE above the interface's MTU.
 */
const ICMP_ERRNOS = new Set([
  13, // EACCES: administratively prohibited (IPv6), policy
  64, // ENONET: source host isolated
  71, // EPROTO: parameter problem
  90, // EMSGSIZE: fragmentation needed, packet too big
  92, // ENOPROTOOPT: protocol unreachable
  95, // EOPNOTSUPP: source route failed
  101, // ENETUNREACH
  111, // ECONNREFUSED: port unreachable
  112, // EHOSTDOWN: destination host unknown
  113, // EHOSTUNREACH: also prohibited (IPv4), and time exceeded
]);

/** Whether a call that failed with this errno may have failed only because an ICMP error had come in before. */
export function mayBeIcmpError(errno: number): boolean {
  return ICMP_ERRNOS.has(errno);
}
