/** Traces over a real network of namespaces: real net-ping, real routers, IPv4 and IPv6. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { traceSchema } from '../../src/protocol/trace-schema.ts';
import type { PathTrace } from '../../src/protocol/record.ts';
import { rootMissing, toolsMissing } from '../linux/privileges.ts';
import { HOPS, HOSTS, RouterChain } from '../linux/router-chain.ts';

const CHILD = fileURLToPath(new URL('./trace-once.js', import.meta.url));
const IDENTIFIER = 0x1234;
const FAMILIES = ['ipv4', 'ipv6'] as const;

type Family = (typeof FAMILIES)[number];

const missing = rootMissing() ?? toolsMissing('ip', 'ping', 'setpriv', 'tcpdump');

/** What stands in the ICMP messages of a router on the way, and of the destination. */
const TYPES = { ipv4: { exceeded: 11, reply: 0 }, ipv6: { exceeded: 3, reply: 129 } };

/** How a trace differs from one to `b`. */
interface How {
  address?: string;
  /** A command that starts the tracing process. */
  through?: string[];
  stopAfterMs?: number;
}

describe.skipIf(missing !== null)(`a route through two routers (${missing ?? 'as root'})`, () => {
  let chain: RouterChain;

  beforeAll(() => {
    chain = RouterChain.create('trace');
  });
  afterAll(() => chain.close());

  /** Traces from `a`, mostly to `b`. Ends when the process has: nothing keeps its event loop running. */
  async function trace(family: Family, how: How = {}): Promise<PathTrace> {
    const { address = HOSTS.b[family], through = [], stopAfterMs } = how;
    const command = [...through, process.execPath, CHILD, family, address, String(IDENTIFIER)];
    if (stopAfterMs !== undefined) command.push(String(stopAfterMs));
    const { stdout } = await promisify(execFile)('ip', ['netns', 'exec', chain.namespace('a'), ...command]);
    return traceSchema.parse(JSON.parse(stdout));
  }

  /** Each hop's addresses, without repetition. */
  function addresses(result: PathTrace): string[] {
    return result.hops.map(({ answers }) => [...new Set(answers.map(({ address }) => address ?? '*'))].join(' '));
  }

  /** What tcpdump prints of the first `count` packets of this host that match. */
  async function record(count: number, filter: string, during: () => Promise<unknown>): Promise<string> {
    const tcpdump = ['tcpdump', '-lnvi', 'right', '-c', String(count), filter];
    const dump = spawn('ip', ['netns', 'exec', chain.namespace('a'), ...tcpdump]);
    onTestFinished(() => void dump.kill());
    const printed = text(dump.stdout);
    await once(dump.stderr, 'data');
    await during();
    return printed;
  }

  it.each(FAMILIES)('over %s is seen router by router up to the destination', async (family) => {
    const result = await trace(family);
    expect(result).toMatchObject({ family, address: HOSTS.b[family], outcome: 'reached', failure: null });
    expect(addresses(result)).toEqual(HOPS[family]);
    for (const { ttl, answers } of result.hops) {
      expect(answers).toHaveLength(3);
      const icmp_type = ttl === 3 ? TYPES[family].reply : TYPES[family].exceeded;
      for (const answer of answers) expect(answer).toMatchObject({ icmp_type, icmp_code: 0 });
      for (const { rtt_us } of answers) expect(rtt_us).toBeGreaterThan(0);
    }
    const slowest = Math.max(...result.hops.flatMap(({ answers }) => answers.map(({ rtt_us }) => rtt_us ?? 0)));
    expect(result.duration_us).toBeGreaterThan(slowest);
  });

  it.each(FAMILIES)('over %s whose second router is silent is seen around it', async (family) => {
    onTestFinished(chain.mute('r2'));
    const result = await trace(family);
    expect(result.outcome).toBe('reached');
    expect(addresses(result)).toEqual([HOPS[family][0], '*', HOPS[family][2]]);
  });

  it.each(FAMILIES)('over %s in which everything vanishes ends after five silent hops', async (family) => {
    onTestFinished(chain.blackhole('r2'));
    const result = await trace(family);
    expect(result).toMatchObject({ outcome: 'incomplete', failure: null });
    expect(addresses(result)).toEqual([HOPS[family][0], '*', '*', '*', '*', '*']);
  });

  it.each([
    ['ipv4', '198.19.0.1', { icmp_type: 3, icmp_code: 0 }],
    ['ipv6', '2001:db9::1', { icmp_type: 1, icmp_code: 0 }],
  ] as const)('over %s to where no router knows the way ends with what it says', async (family, address, says) => {
    chain.run('a', 'ip -6 route add 2001:db9::/32 via 2001:db8:1::2');
    onTestFinished(() => void chain.run('a', 'ip -6 route delete 2001:db9::/32'));
    const result = await trace(family, { address });
    expect(result).toMatchObject({ outcome: 'incomplete', hops: [{ ttl: 1, answers: [says, says, says] }] });
    expect(addresses(result)).toEqual([HOPS[family][0]]);
  });

  it.each([
    ['ipv4', '203.0.113.1'],
    ['ipv6', '2001:db9::1'],
  ] as const)('over %s that this host does not have is this host’s failure', async (family, address) => {
    const result = await trace(family, { address });
    expect(result).toMatchObject({ outcome: 'failed', failure: 'this host did not send: Network is unreachable' });
    expect(result.hops).toEqual([]);
  });

  it('that is given up in the middle ends at once, with its socket and what was found', async () => {
    onTestFinished(chain.blackhole('r2'));
    const result = await trace('ipv4', { stopAfterMs: 1500 });
    expect(result).toMatchObject({ outcome: 'failed', failure: 'The operation was aborted due to timeout' });
    expect(addresses(result)[0]).toBe(HOPS.ipv4[0]);
    expect(result.hops.length).toBeLessThan(6);
  });

  it('without the permission for raw sockets is this host’s failure', async () => {
    const result = await trace('ipv4', { through: ['setpriv', '--bounding-set', '-net_raw'] });
    expect(result.failure).toMatch(/^this host opens no raw ICMP socket: Operation not permitted; .*CAP_NET_RAW$/);
  });

  it('is asked by probes with one checksum, so that routers send them one way', async () => {
    // Type, code and identifier, added up and complemented (RFC 1071): 0x0800 + 0x1234.
    const printed = await record(9, 'icmp[icmptype] == icmp-echo and icmp[2:2] == 0xe5cb', () => trace('ipv4'));
    expect(new Set(printed.match(/echo request, id 4660, seq \d+, length 16/g)).size).toBe(9);
    expect(printed).not.toContain('wrong icmp cksum');
  });

  it('is not confused by a ping that uses the same identifier', async () => {
    const ping = `ping -e ${IDENTIFIER} -i 0.01 -c 100 ${HOSTS.b.ipv4} >/dev/null`;
    const others = promisify(execFile)('ip', ['netns', 'exec', chain.namespace('a'), 'sh', '-c', ping]);
    const result = await trace('ipv4');
    expect(addresses(result)).toEqual(HOPS.ipv4);
    await others;
  });
});
