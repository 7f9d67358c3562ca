/** The real programs, end to end on loopback: real packets in, verified evidence out. */

import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { rootMissing } from '../linux/privileges.ts';
import { MeshRig, type Program } from './mesh-rig.ts';

/** Uses nothing of popprobe: RFC 7797 by hand. */
function verifyByHand(octets: Buffer, line: string, jwk: JsonWebKey): { header: unknown; valid: boolean } {
  const [header = '', middle, signature = ''] = line.split('.');
  expect(middle).toBe('');
  const signed = Buffer.concat([Buffer.from(`${header}.`), octets]);
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  return {
    header: JSON.parse(Buffer.from(header, 'base64url').toString()),
    valid: verify(null, signed, key, Buffer.from(signature, 'base64url')),
  };
}

describe.skipIf(rootMissing())(`a mesh of three PoPs (${rootMissing() ?? 'as root'})`, () => {
  const pops = ['hkg1', 'lax1', 'sin1'];
  let rig: MeshRig;
  let collector: Program;
  let agents: Program[];

  beforeAll(async () => {
    rig = await MeshRig.create(pops, 21);
    collector = await rig.startCollector();
    agents = await Promise.all(pops.map((pop) => rig.startAgent(pop)));
  });
  afterAll(() => rig.close());

  it('measures every ordered pair, with nothing lost and kernel stamps throughout', async () => {
    // The second full window: in the first one, peers were still starting.
    const mesh = await rig.meshAfter(
      3,
      // Both ends have reported the same window.
      ({ pairs }) => pairs.every((pair) => pair.two_ended !== 'unknown'),
    );
    expect(mesh.pairs.map(({ from, to }) => `${from} ${to}`).toSorted()).toEqual(
      pops.flatMap((from) => pops.filter((to) => to !== from).map((to) => `${from} ${to}`)),
    );
    for (const pair of mesh.pairs) {
      const { due, received, lost, refused, missed } = pair.counts;
      expect({ lost, refused }).toEqual({ lost: 0, refused: 0 });
      expect(received + missed).toBe(due);
      expect(received).toBeGreaterThan(due / 2);
      expect(pair.seconds).toBe('ggggg');
      expect(pair.loss_ratio).toBe(0);
      expect(pair.rtt?.kind).toBe('stamp');
      expect(pair.rtt?.mean_ns).toBeGreaterThan(0);
      expect(pair.paths.map(({ kind, flow }) => `${kind} ${flow}`)).toEqual(['icmp 0', 'stamp 0', 'stamp 1']);
      expect(pair.two_ended).toBe('agrees');
      for (const { two_ended: ends } of pair.paths.slice(1)) {
        expect(ends).toMatchObject({ verdict: 'agrees', forward_lost: 0, reverse_lost: 0 });
        expect(ends?.reflector?.replied).toBe(ends?.reflector?.received);
      }
    }
  });

  it('keeps documents that plain node:crypto verifies, chained one to the next', async () => {
    const jwk = JSON.parse(String(await rig.read('keys/hkg1.pub.json'))) as JsonWebKey;
    await rig.meshAfter(2);
    const last = (await rig.summaries('hkg1')).at(-1) ?? 0;
    const [before, newest] = await Promise.all(
      [last - 1, last].map((sequence) => fetchDocument(rig, 'hkg1', sequence)),
    );
    if (!before || !newest) throw new Error('documents missing');
    const { header, valid } = verifyByHand(newest.octets, newest.line, jwk);
    expect(valid).toBe(true);
    expect(header).toMatchObject({ alg: 'Ed25519', b64: false, crit: ['b64'] });
    const summary = JSON.parse(String(newest.octets)) as Record<string, unknown>;
    expect(summary).toMatchObject({ schema: 'popprobe.summary/1', pop: 'hkg1', sequence: last });
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', before.octets)).toString('base64url');
    expect(summary['prev']).toBe(digest);
    const provenance = (summary['peers'] as { paths: { provenance: Record<string, number> }[] }[])
      .flatMap((peer) => peer.paths)
      .map((path) => path.provenance);
    for (const path of provenance) expect(path).toMatchObject({ tx_user: 0, rx_user: 0 });
    newest.octets[100] = (newest.octets[100] ?? 0) ^ 1;
    expect(verifyByHand(newest.octets, newest.line, jwk).valid).toBe(false);
  });

  it('refuses what was tampered with, signed by a stranger or replayed, and accepts a duplicate once', async () => {
    const { pops: seen } = await rig.meshWhere(({ pops: all }) => all.every((pop) => pop.documents >= 1));
    const sequence = seen.find(({ pop }) => pop === 'hkg1')?.last_sequence ?? 0;
    const { octets, line } = await fetchDocument(rig, 'hkg1', sequence);
    const tampered = Buffer.from(octets);
    tampered[200] = (tampered[200] ?? 0) ^ 4;
    const other = await fetchDocument(rig, 'sin1', seen.find(({ pop }) => pop === 'sin1')?.last_sequence ?? 0);
    const answers = [
      await post(rig, octets, line),
      await post(rig, tampered, line),
      await post(rig, octets, other.line),
      await post(rig, octets, ''),
    ];
    expect(answers).toEqual(['200 duplicate', '401 bad_signature', '401 bad_signature', '400 malformed']);
    expect((await fetchDocument(rig, 'hkg1', sequence)).octets).toEqual(octets);
  });

  it('answers status locally, for people and as JSON', async () => {
    await agents[0]?.logged('window sealed');
    const text = await rig.run(['status', '--config', rig.path('hkg1.yaml')]);
    expect(text).toMatch(
      /^hkg1: popprobe\/.*\nicmp by kernel icmp_raw\nstamp by kernel udp\nclock.*\nsigns with key [\w-]{43}\nthe collector accepted/,
    );
    const status = JSON.parse(await rig.run(['status', '--socket', rig.path('hkg1.sock'), '--json'])) as {
      pop: string;
      push: { failuresInARow: number };
    };
    expect(status).toMatchObject({ pop: 'hkg1', push: { failuresInARow: 0 } });
  });

  it('ends cleanly: the last window is sealed, the sockets are gone', async () => {
    const codes = await Promise.all(agents.map((agent) => agent.end('SIGTERM')));
    expect(codes).toEqual([0, 0, 0]);
    for (const agent of agents) expect(agent.lines.at(-1)).toMatchObject({ msg: 'stopped' });
    expect((await readdir(rig.folder)).filter((name) => name.endsWith('.sock'))).toEqual([]);
    await expect(rig.run(['status', '--config', rig.path('hkg1.yaml')])).rejects.toThrow(/agent_unreachable/);
    expect(await collector.end('SIGTERM')).toBe(0);
  });
});

describe.skipIf(rootMissing())(`kill -9 (${rootMissing() ?? 'as root'})`, () => {
  it('of the agent between sealing and pushing loses no sealed window and breaks no chain', async () => {
    const rig = await MeshRig.create(['hkg1', 'sin1'], 22);
    try {
      const sealed: number[] = [];
      for (let life = 0; life < 3; life += 1) {
        // Nobody listens where the collector should be: whatever is sealed stays in the spool.
        const agent = await rig.startAgent('hkg1');
        await agent.logged('window sealed');
        await agent.end('SIGKILL');
        sealed.push(...agent.lines.filter(isSealed).map(({ sequence }) => Number(sequence)));
      }
      const collector = await rig.startCollector();
      const agent = await rig.startAgent('hkg1');
      const last = Math.max(...sealed);
      await rig.meshWhere(({ pops }) => (pops.find(({ pop }) => pop === 'hkg1')?.last_sequence ?? 0) >= last);
      // The newest comes first, and the backlog behind it.
      await vi.waitFor(
        async () => {
          const status = JSON.parse(await rig.run(['status', '--socket', rig.path('hkg1.sock'), '--json'])) as {
            spool: { documents: number };
          };
          expect(status.spool.documents).toBe(0);
        },
        { timeout: 30_000, interval: 200 },
      );
      let prev: string | null = null;
      const first = Math.min(...sealed);
      for (let sequence = first; sequence <= last; sequence += 1) {
        const { octets } = await fetchDocument(rig, 'hkg1', sequence);
        expect((JSON.parse(String(octets)) as { prev: string | null }).prev).toBe(prev);
        prev = Buffer.from(await crypto.subtle.digest('SHA-256', octets)).toString('base64url');
      }
      // What was sealed in the moment of the kill is in the chain and not in the log.
      expect(sealed).toEqual([...new Set(sealed)].toSorted((a, b) => a - b));
      expect(sealed.length).toBeGreaterThan(last - first - 2);
      await agent.end('SIGTERM');
      await collector.end('SIGTERM');
    } finally {
      await rig.close();
    }
  }, 120_000);
});

describe.skipIf(rootMissing())(`an agent that cannot start (${rootMissing() ?? 'as root'})`, () => {
  it('says why and ends, with nothing left running', async () => {
    const rig = await MeshRig.create(['hkg1', 'sin1'], 23);
    try {
      await rig.startAgent('hkg1');
      await rig.write('sin1.yaml', rig.agentYaml('sin1').replace('sin1.sock', 'hkg1.sock'));
      await expect(rig.run(['agent', '--config', rig.path('sin1.yaml')])).rejects.toThrow(
        /another agent .*config_conflict/,
      );
      await expect(rig.run(['agent', '--config', rig.path('hkg1.yaml')])).rejects.toThrow('[spool_in_use]');
      await rig.write('twin.yaml', rig.agentYaml('hkg1').replace('spool/hkg1', 'spool/twin'));
      await expect(rig.run(['agent', '--config', rig.path('twin.yaml')])).rejects.toThrow(
        /bind to 127\.0\.23\.1 port 8620.*EADDRINUSE.*syscall_failed/,
      );
    } finally {
      await rig.close();
    }
  });
});

/** A window or an event that is on disk. */
function isSealed({ msg }: Record<string, unknown>): boolean {
  return msg === 'window sealed' || msg === 'event sealed';
}

async function fetchDocument(rig: MeshRig, pop: string, sequence: number): Promise<{ octets: Buffer; line: string }> {
  const response = await fetch(`${rig.url}/api/v1/documents/${pop}/${sequence}`);
  expect(response.status).toBe(200);
  return { octets: Buffer.from(await response.arrayBuffer()), line: response.headers.get('x-jws-signature') ?? '' };
}

async function post(rig: MeshRig, octets: Buffer, line: string): Promise<string> {
  const response = await fetch(`${rig.url}/v1/documents`, {
    method: 'POST',
    body: octets,
    headers: { 'content-type': 'application/json', 'x-jws-signature': line },
  });
  const body = (await response.json()) as { status?: string; error?: { code: string } };
  return `${response.status} ${body.status ?? body.error?.code ?? '?'}`;
}
