/** An ICMP error for one peer's probes is that peer's loss, with who said what, and takes no other peer's probe with it. */

import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Namespaces, namespacesMissing } from './namespaces.ts';
import { type PeerPlan, probePlan, reflectorPlan } from './plans.ts';
import { Prober, Reflector } from './product.ts';
import type { Verdict } from './verdict.ts';

const CLOSED_PORT = 9;
const EMSGSIZE = 90;
const PROBES = 2000;
const GOOD_PEERS = 6;

/** One family's addresses: this host, its router, and a network behind it. */
interface Family {
  local: string;
  router: string;
  /** Everything beyond the router: `far` and a number. */
  far: string;
  prefix: number;
}

const V4: Family = { local: '198.18.0.1', router: '198.18.0.2', far: '198.18.4.', prefix: 32 };
const V6: Family = { local: '2001:db8::1', router: '2001:db8::2', far: '2001:db8:4::', prefix: 128 };

/** A peer that answers with an ICMP error, of which type and code, and what makes the router send it. */
interface BadPeer {
  error: string;
  rule: string;
}

const V4_ROUTER_ERRORS: BadPeer[] = [
  { error: '3/0', rule: 'reject with icmp type net-unreachable' },
  { error: '3/1', rule: 'reject with icmp type host-unreachable' },
  { error: '3/2', rule: 'reject with icmp type prot-unreachable' },
  { error: '3/13', rule: 'reject with icmp type admin-prohibited' },
];

const V6_ROUTER_ERRORS: BadPeer[] = [
  { error: '1/0', rule: 'reject with icmpv6 type no-route' },
  { error: '1/1', rule: 'reject with icmpv6 type admin-prohibited' },
  { error: '1/3', rule: 'reject with icmpv6 type addr-unreachable' },
];

const missing = namespacesMissing();

describe.skipIf(missing)(`ICMP errors (${missing ?? 'as root'})`, () => {
  let namespaces: Namespaces;
  let reflector: Reflector | null;
  let prober: Prober | null;

  beforeAll(() => {
    namespaces = new Namespaces('icmp', ['near', 'router', 'far']);
    namespaces.join('near', 'router', [`${V4.local}/24`, `${V6.local}/64`], [`${V4.router}/24`, `${V6.router}/64`]);
    namespaces.join('router', 'far', ['198.18.1.1/24', '2001:db8:1::1/64'], ['198.18.1.2/24', '2001:db8:1::2/64']);
    namespaces.set('router', 'net/ipv4/ip_forward', 1);
    namespaces.set('router', 'net/ipv6/conf/all/forwarding', 1);
    namespaces.ip('near', `route add default via ${V4.router}`, `route add default via ${V6.router}`);
    namespaces.ip('router', 'route add 198.18.4.0/24 via 198.18.1.2', 'route add 2001:db8:4::/64 via 2001:db8:1::2');
    namespaces.ip('far', 'route add default via 198.18.1.1', 'route add default via 2001:db8:1::1');
    for (const family of [V4, V6]) {
      const addresses = [...goodOf(family), badOf(family, 0)];
      namespaces.ip('far', ...addresses.map((address) => `addr add ${address}/${family.prefix} dev lo`));
    }
  });
  afterAll(() => namespaces.close());

  beforeEach(() => {
    reflector = null;
    prober = null;
    namespaces.nft('router');
  });
  afterEach(() => Promise.all([reflector?.kill(), prober?.kill()]));

  async function run(family: Family, peers: readonly PeerPlan[]): Promise<Verdict> {
    const plan = probePlan({ locals: [family.local], peers, intervalMs: 1, rememberS: 8 });
    reflector = await Reflector.start(namespaces, 'far', reflectorPlan(plan, goodOf(family)));
    prober = await Prober.start(namespaces, 'near', plan);
    await prober.until((verdict) => verdict.of('good').due >= PROBES * GOOD_PEERS);
    return prober.settled();
  }

  function expectGood(verdict: Verdict): void {
    const good = verdict.of('good');
    expect(good).toMatchObject({ lost: 0, refused: 0, void: 0, errnos: {}, icmp: {} });
    expect(good.received).toBe(good.due - good.missed);
  }

  /** Every sent probe to the peer is lost as unreachable, by the error that the peer is named after. */
  function expectUnreachable(verdict: Verdict, peer: string): void {
    const bad = verdict.of(peer);
    expect(bad).toMatchObject({ refused: 0, received: 0, void: 0, late: 0, lost: bad.due - bad.missed });
    expect(bad.icmp).toEqual({ [peer]: bad.lost });
    expect(bad.unreachable).toBe(bad.lost);
    expect(bad.lost).toBeGreaterThan(PROBES / 20);
  }

  it.each([
    {
      name: 'IPv4',
      family: V4,
      kind: 'stamp',
      closed: '3/3',
      expired: '11/0',
      errors: V4_ROUTER_ERRORS,
      ttl: 'ip ttl',
    },
    {
      name: 'IPv6',
      family: V6,
      kind: 'stamp',
      closed: '1/4',
      expired: '3/0',
      errors: V6_ROUTER_ERRORS,
      ttl: 'ip6 hoplimit',
    },
    { name: 'ICMP', family: V4, kind: 'icmp', closed: null, expired: '11/0', errors: V4_ROUTER_ERRORS, ttl: 'ip ttl' },
  ] as const)(
    'bad peers among good ones on one socket, $name',
    async ({ family, kind, closed, expired, errors, ttl }) => {
      const to = family === V4 ? 'ip daddr' : 'ip6 daddr';
      const lastHop = badOf(family, 1);
      const prohibited = errors.map(({ error, rule }, index) => ({ error, rule, address: badOf(family, 2 + index) }));
      namespaces.nft(
        'router',
        'table inet honesty {',
        'chain arrival {',
        'type filter hook prerouting priority 0',
        `${to} ${lastHop} ${ttl} set 1`,
        '}',
        'chain forward {',
        'type filter hook forward priority 0',
        ...prohibited.map(({ address, rule }) => `${to} ${address} ${rule}`),
        '}',
        '}',
      );
      const bad: PeerPlan[] = [
        ...prohibited.map(({ error, address }) => ({ name: `${error} ${family.router}`, address })),
        { name: `${expired} ${family.router}`, address: lastHop },
      ];
      if (closed !== null) {
        const address = badOf(family, 0);
        bad.push({ name: `${closed} ${address}`, address, port: CLOSED_PORT });
      }
      const good = goodOf(family).map((address) => ({ name: 'good', address }));
      // Good and bad by turns, so that every batch has both.
      const peers = good.flatMap((peer, index) => [peer, ...bad.slice(index, index + 1)]);
      const verdict = await run(
        family,
        peers.map((peer) => ({ ...peer, kind })),
      );
      expectGood(verdict);
      for (const { name } of bad) expectUnreachable(verdict, name);
      expect(verdict.counters.icmp_errors_unmatched).toBe(0);
    },
  );

  it('an error that waits when the socket is read is no reason to stop reading', () => {
    const address = badOf(V6, 8);
    const rule = `ip6 daddr ${address} reject with icmpv6 type admin-prohibited`;
    namespaces.nft(
      'router',
      'table inet honesty {',
      'chain forward {',
      'type filter hook forward priority 0',
      rule,
      '}',
      '}',
    );
    const program = fileURLToPath(new URL('./read-with-error.js', import.meta.url));
    const printed = namespaces.run('near', [process.execPath, program, V6.local, address]);
    // EACCES, each time, read off the error queue.
    expect(JSON.parse(printed)).toEqual({ errnos: [13], errors: 20, received: 20 });
  });

  it.each([
    { name: 'IPv4', family: V4, error: '3/4' },
    { name: 'IPv6', family: V6, error: '2/0' },
  ])(
    'a small MTU behind a router, $name: lost until this host knows of it, then refused, and nobody else suffers',
    async ({ family, error }) => {
      const address = badOf(family, 9);
      namespaces.ip(
        'router',
        'link add narrow type veth peer narrow-end',
        'link set narrow-end up',
        'link set narrow mtu 1280 up',
        `route replace ${address} dev narrow`,
      );
      const good = goodOf(family).map((to) => ({ name: 'good', address: to }));
      const bad = { name: 'bad', address, sizeBytes: 1400 };
      const verdict = await run(family, [...good.slice(0, 3), bad, bad, ...good.slice(3)]);
      namespaces.ip('router', 'link del narrow');
      expectGood(verdict);
      const { errnos, icmp, lost, due, missed, unreachable } = verdict.of('bad');
      expect(lost).toBeGreaterThan(0);
      expect(unreachable).toBe(lost);
      expect(icmp).toEqual({ [`${error} ${family.router}`]: lost });
      expect(errnos).toEqual({ [EMSGSIZE]: due - missed - lost });
    },
  );
});

function goodOf({ far }: Family): string[] {
  return Array.from({ length: GOOD_PEERS }, (_, index) => `${far}${index + 1}`);
}

/** Number 0 exists, at a port where nothing listens; the others are behind whatever the router does to them. */
function badOf({ far }: Family, number: number): string {
  return `${far}${20 + number}`;
}
