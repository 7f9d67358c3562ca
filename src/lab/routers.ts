/** Addresses of the routers on the way between two hosts, as a traceroute through the emulated network shows them. */

/** Routers of the near half have numbers from here on, those of the far half from `FAR`: a region has room for both. */
const NEAR = 1;
const FAR = 129;
/** Members of an ECMP group whose routers are told apart; more share them. */
const MEMBERS = 12;

/**
 * Writes the address of a router, 198.19.R.X or 2001:db8:ffff:R::X, into `ipv4` or `ipv6` octets. R is the region: of the
 * host at the near end for the first half of the way, of the other one for the rest.
 *
 * @param hop from 1, the router next to the sender, to `hops`, at most 20
 */
export function routerAddress(
  from: number,
  to: number,
  member: number,
  hop: number,
  hops: number,
  into: Uint8Array,
): void {
  const isNear = hop <= Math.ceil(hops / 2);
  const region = (isNear ? from : to) + 1;
  const row = isNear ? hop - 1 : hops - hop;
  const number = (isNear ? NEAR : FAR) + row * MEMBERS + (member % MEMBERS);
  into.fill(0);
  if (into.length === 4) {
    into[0] = 198;
    into[1] = 19;
    into[2] = region;
    into[3] = number;
  } else {
    into[0] = 0x20;
    into[1] = 0x01;
    into[2] = 0x0d;
    into[3] = 0xb8;
    into[4] = 0xff;
    into[5] = 0xff;
    into[7] = region;
    into[15] = number;
  }
}
