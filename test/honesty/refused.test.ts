/** What the local kernel does not send is refused, with the errno that says why, and never lost. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Namespaces, namespacesMissing } from './namespaces.ts';
import { type PeerPlan, probePlan, reflectorPlan } from './plans.ts';
import { Prober, Reflector } from './product.ts';
import type { Verdict } from './verdict.ts';

const EPERM = 1;
const EMSGSIZE = 90;
const ENETUNREACH = 101;
const ENOBUFS = 105;

const LOCAL = '198.18.0.1';
const GOOD = '198.18.0.2';
const BAD = '198.18.1.2';
const PROBES = 400;

const PEERS: PeerPlan[] = [
  { name: 'good', address: GOOD },
  { name: 'bad', address: BAD },
  { name: 'good', address: GOOD, kind: 'icmp' },
  { name: 'bad', address: BAD, kind: 'icmp' },
];

const missing = namespacesMissing();

describe.skipIf(missing)(`refused sends (${missing ?? 'as root'})`, () => {
  let namespaces: Namespaces;

  beforeAll(() => {
    namespaces = new Namespaces('refused', ['near', 'far']);
    namespaces.join('near', 'far', [`${LOCAL}/24`], [`${GOOD}/24`]);
    namespaces.ip('far', `addr add ${BAD}/32 dev lo`);
  });
  afterAll(() => namespaces.close());

  /** Probes until enough have fallen due; `trouble` is there all the time. */
  async function run(peers: readonly PeerPlan[], intervalMs = 2, tickMs = 5): Promise<Verdict> {
    const plan = probePlan({ locals: [LOCAL], peers, intervalMs, tickMs });
    const reflector = await Reflector.start(namespaces, 'far', reflectorPlan(plan, [GOOD, BAD]));
    const prober = await Prober.start(namespaces, 'near', plan);
    try {
      await prober.until((verdict) => verdict.all().due >= PROBES * peers.length);
      return await prober.settled();
    } finally {
      await Promise.all([prober.kill(), reflector.kill()]);
    }
  }

  /** All of the bad peer's probes are refused with this errno; the good one's are all answered. */
  function expectRefused(verdict: Verdict, errno: number): void {
    const bad = verdict.of('bad');
    expect(bad.errnos).toEqual({ [errno]: bad.due - bad.missed });
    expect(bad).toMatchObject({ lost: 0, void: 0, received: 0 });
    const good = verdict.of('good');
    expect(good).toMatchObject({ lost: 0, refused: 0, void: 0, received: good.due - good.missed });
    expect(good.received).toBeGreaterThan(PROBES);
  }

  const rule = (verdict: string): string =>
    `table inet honesty {\n chain output {\n type filter hook output priority 0\n ip daddr ${BAD} ${verdict}\n }\n }`;

  it.each([
    ['drop', 'drop'],
    ['reject', 'reject'],
    ['reject, saying host unreachable', 'reject with icmp type host-unreachable'],
    ['reject, saying prohibited', 'reject with icmp type admin-prohibited'],
  ])('a firewall of this host: %s', async (_, verdict) => {
    namespaces.ip('near', `route replace ${BAD} via ${GOOD}`);
    namespaces.nft('near', rule(verdict));
    expectRefused(await run(PEERS), EPERM);
    namespaces.nft('near');
  });

  it('a firewall that refuses one packet in twenty', async () => {
    namespaces.ip('near', `route replace ${BAD} via ${GOOD}`);
    namespaces.nft('near', rule('numgen random mod 20 0 drop'));
    // Each alone in its batch: a probe in the midst of one is tried again at once, since the kernel says only then why it
    // stopped there, and the second try is as good as any.
    const verdict = await run(
      PEERS.filter(({ name }) => name === 'bad'),
      5,
      1,
    );
    const inBatches = await run(PEERS);
    namespaces.nft('near');
    const bad = verdict.of('bad');
    expect(bad).toMatchObject({ lost: 0, void: 0, received: bad.due - bad.missed - bad.refused });
    expect(bad.errnos).toEqual({ [EPERM]: bad.refused });
    // Six standard deviations around one in twenty.
    const tried = bad.due - bad.missed;
    expect(Math.abs(bad.refused - tried / 20)).toBeLessThan(6 * Math.sqrt(tried * 0.05 * 0.95));
    expect(inBatches.of('good')).toMatchObject({ lost: 0, refused: 0 });
    expect(inBatches.of('bad')).toMatchObject({ lost: 0, void: 0 });
    // The kernel may have given a key to what it refused: no TX stamp has missed its probe for it.
    for (const all of [verdict.all(), inBatches.all()])
      expect(all.provenance).toMatchObject({ tx_kernel: all.received, tx_user: 0 });
  });

  it('no route', async () => {
    namespaces.ip('near', `route flush ${BAD}`);
    expectRefused(await run(PEERS), ENETUNREACH);
  });

  it('an interface that is down', async () => {
    namespaces.ip(
      'near',
      'link add spare type veth peer other',
      'addr add 198.18.2.1/24 dev spare',
      'link set other up',
      'link set spare up',
      `route replace ${BAD} dev spare`,
      'link set spare down',
    );
    expectRefused(await run(PEERS), ENETUNREACH);
    namespaces.ip('near', 'link del spare');
  });

  it('a probe that is larger than the MTU', async () => {
    namespaces.ip('near', `route replace ${BAD} via ${GOOD}`, 'link set far mtu 1280');
    const peers = PEERS.map((peer) => ({ ...peer, sizeBytes: peer.name === 'bad' ? 1400 : 64 }));
    expectRefused(await run(peers), EMSGSIZE);
    namespaces.ip('near', 'link set far mtu 1500');
  });

  it('a full interface queue: what fits arrives, the rest is refused', async () => {
    namespaces.ip('near', `route replace ${BAD} via ${GOOD}`);
    // About 120 of our packets a second, two of them waiting: 20 ms at most.
    namespaces.run('near', [
      'tc',
      'qdisc',
      'replace',
      'dev',
      'far',
      'root',
      'tbf',
      'rate',
      '100kbit',
      'burst',
      '250',
      'limit',
      '250',
    ]);
    const verdict = await run(PEERS);
    namespaces.run('near', ['tc', 'qdisc', 'del', 'dev', 'far', 'root']);
    const all = verdict.all();
    expect(all).toMatchObject({ lost: 0, void: 0, received: all.due - all.missed - all.refused });
    expect(all.errnos).toEqual({ [ENOBUFS]: all.refused });
    expect(all.refused).toBeGreaterThan(PROBES);
    expect(all.received).toBeGreaterThan(0);
  });
});
