/** Path traces and the records around them by the real agent over a real network: asked for, and when a pair turns bad. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPublicKey } from '../../src/config/public-key.ts';
import { readHeader, verifyDetached } from '../../src/protocol/jws-verify.ts';
import { parseDocument, type ParsedDocument } from '../../src/protocol/parse-document.ts';
import type { ChainRecord, EventOf, PathTrace, RecordEvent } from '../../src/protocol/record.ts';
import type { Summary } from '../../src/protocol/summary.ts';
import { oldestIn, open } from '../agent/spool-fixture.ts';
import { popprobe } from '../cli/program.ts';
import { rootMissing, toolsMissing } from '../linux/privileges.ts';
import { HOPS, HOSTS, RouterChain } from '../linux/router-chain.ts';
import { MeshRig, type Program } from './mesh-rig.ts';

const SPOOL_BYTES = 64 * 1024 * 1024;
const missing = rootMissing() ?? toolsMissing('ip', 'ping', 'setpriv');

/** Two PoPs at the ends of the chain. Nobody listens where their collector should be: the spool keeps everything. */
const MESH = `schema: popprobe.mesh/1
name: e2e
window_s: 5
tmax_ms: 500
stamp_port: 8620
pops:
  - { name: hkg1, id: 1, ipv4: ${HOSTS.a.ipv4}, ipv6: '${HOSTS.a.ipv6}' }
  - { name: sin1, id: 2, ipv4: ${HOSTS.b.ipv4}, ipv6: '${HOSTS.b.ipv6}' }
probes:
  - { name: icmp, kind: icmp, interval_ms: 200 }
  - { name: stamp, kind: stamp, interval_ms: 100, flows: 2 }
`;

/** Everything that the PoP has sealed, read and verified as a collector would, in the order of the chain. */
async function documents(rig: MeshRig, pop: string): Promise<ParsedDocument[]> {
  const { publicKey } = await readPublicKey(rig.path(`keys/${pop}.pub.json`));
  const spool = await open(rig.path(`spool/${pop}`), SPOOL_BYTES);
  const found: ParsedDocument[] = [];
  for (let document = await oldestIn(spool); document !== null; document = await oldestIn(spool)) {
    await verifyDetached(document.signature, document.octets, publicKey);
    found.push(parseDocument(document.octets, readHeader(document.signature).kind));
    await spool.delivered(document.sequence);
  }
  return found;
}

function summaries(found: readonly ParsedDocument[]): Summary[] {
  return found.flatMap((document) => (document.kind === 'summary' ? [document.summary] : []));
}

function records(found: readonly ParsedDocument[]): ChainRecord[] {
  return found.flatMap((document) => (document.kind === 'record' ? [document.record] : []));
}

function events<Kind extends RecordEvent['kind']>(found: readonly ParsedDocument[], kind: Kind): EventOf<Kind>[] {
  return records(found).flatMap(({ event }) => (event.kind === kind ? [event as EventOf<Kind>] : []));
}

function traces(found: readonly ParsedDocument[]): PathTrace[] {
  return events(found, 'trace').map(({ trace }) => trace);
}

/** The events that the cable is about; a busy machine adds trouble of its own. */
function wordOf(event: RecordEvent): string[] {
  if (event.kind === 'pair') return [`pair ${event.state}`];
  return event.kind === 'trace' ? ['trace'] : [];
}

function addresses(trace: PathTrace | undefined): string[] {
  return (trace?.hops ?? []).map(({ answers }) => [...new Set(answers.map(({ address }) => address ?? '*'))].join(' '));
}

describe.skipIf(missing !== null)(`agents with two routers between them (${missing ?? 'as root'})`, () => {
  let chain: RouterChain;
  let rig: MeshRig;
  let hkg1: Program;
  let sin1: Program;
  let ofHkg1: ParsedDocument[] = [];

  beforeAll(async () => {
    chain = RouterChain.create('e2e');
    rig = await MeshRig.create(['hkg1', 'sin1'], 24);
    await rig.write('mesh.yaml', MESH);
    [hkg1, sin1] = await Promise.all([
      rig.startAgent('hkg1', chain.launcher('a')),
      rig.startAgent('sin1', chain.launcher('b')),
    ]);
    // In its first window an agent may find its peer still starting.
    await hkg1.logged('window sealed');
  });
  afterAll(async () => {
    await rig.close();
    chain.close();
  });

  it('answer a question with the route, and the next one to the same peer with when', () => {
    const socket = rig.path('hkg1.sock');
    const first = popprobe('trace', 'sin1', '--family', 'ipv6', '--socket', socket, '--json');
    expect(first).toMatchObject({ status: 0, stderr: '' });
    const trace = JSON.parse(first.stdout) as PathTrace;
    expect(trace).toMatchObject({ peer: 'sin1', family: 'ipv6', reason: 'requested', outcome: 'reached' });
    expect(addresses(trace)).toEqual(HOPS.ipv6);
    const second = popprobe('trace', 'sin1', '--config', rig.path('hkg1.yaml'));
    expect(second).toMatchObject({ status: 1, stdout: '' });
    expect(second.stderr).toMatch(
      /^popprobe: expected no trace to sin1 .* ask again in \d+ s, .*\[trace_too_soon\]\n$/,
    );
  });

  it('refuse a question about nobody, or that makes no sense', () => {
    const socket = ['--socket', rig.path('hkg1.sock')];
    const unknown = popprobe('trace', 'sin', ...socket);
    expect([unknown.status, unknown.stderr]).toEqual([
      1,
      expect.stringMatching(/did you mean "sin1"\? \[not_found\]\n$/),
    ]);
    expect(popprobe('trace', ...socket).status).toBe(2);
    expect(popprobe('trace', 'sin1', '--family', 'ipv5', ...socket).status).toBe(2);
  });

  it('trace a route by themselves when its cable is pulled, and sign what they found', async () => {
    // The window in which the trace was asked for is sealed by the second one after it.
    for (let from = hkg1.lines.length, windows = 0; windows < 2; windows += 1) {
      from = hkg1.lines.indexOf(await hkg1.logged('window sealed', from)) + 1;
    }
    const pulledMs = Date.now();
    const plugIn = chain.pullCable('r1');
    expect(await sin1.logged('the pair has turned bad')).toMatchObject({ peer: 'hkg1' });
    const traced = await sin1.logged('path traced');
    expect(traced).toMatchObject({ peer: 'hkg1', reason: 'pair_bad', outcome: 'incomplete' });
    const tracedAt = sin1.lines.indexOf(traced);
    expect(await sin1.logged('event sealed', tracedAt)).toMatchObject({ event: 'trace' });
    // At once, and not with a window: one may have been under way.
    const sealed = sin1.lines.slice(tracedAt).map(({ msg }) => msg);
    expect(
      sealed.slice(0, sealed.indexOf('event sealed')).filter((msg) => msg === 'window sealed').length,
    ).toBeLessThan(2);
    // hkg1 was asked for a trace a moment ago.
    expect(await hkg1.logged('no path trace now')).toMatchObject({ peer: 'sin1' });
    plugIn();
    await sin1.logged('the pair is good again');
    await hkg1.logged('the pair is good again');
    expect(await Promise.all([hkg1.end('SIGTERM'), sin1.end('SIGTERM')])).toEqual([0, 0]);

    ofHkg1 = await documents(rig, 'hkg1');
    const ofSin1 = await documents(rig, 'sin1');
    const [trace, ...others] = traces(ofSin1);
    expect(others).toEqual([]);
    expect(trace).toMatchObject({ peer: 'hkg1', family: 'ipv4', address: HOSTS.a.ipv4, reason: 'pair_bad' });
    expect(addresses(trace)[0]).toBe('198.18.3.1');
    expect(addresses(trace)).not.toContain(HOSTS.a.ipv4);
    expect(
      summaries(ofSin1)
        .map(({ peers }) => peers[0]?.seconds)
        .join(''),
    ).toMatch(/gbbb/);
    expect(traces(ofHkg1)).toMatchObject([{ peer: 'sin1', reason: 'requested' }]);
    const turns = ['pair bad', 'trace', 'pair good'];
    // What an agent made of a peer that was still starting is another matter.
    const since = (found: readonly ParsedDocument[]) => records(found).filter((record) => record.at_unix_ms > pulledMs);
    expect(since(ofSin1).flatMap(({ event }) => wordOf(event))).toEqual(turns);
    expect(since(ofHkg1).flatMap(({ event }) => wordOf(event))).toEqual(['pair bad', 'pair good']);
  });

  it('seal a pair that turned with the time of the second that decided, in the chain of the windows', () => {
    const chainOf = ofHkg1.map((document) => (document.kind === 'summary' ? document.summary : document.record));
    for (const [index, { sequence, boot_id }] of chainOf.entries()) {
      expect(sequence - (chainOf[0]?.sequence ?? 0)).toBe(index);
      expect(boot_id).toBe(chainOf[0]?.boot_id);
    }
    const bad = records(ofHkg1).findLast(({ event }) => event.kind === 'pair' && event.state === 'bad');
    const atMs = bad?.at_unix_ms ?? 0;
    // The pair's own seconds do not begin with those of the wall clock; these lie within the outage in any case.
    const letters = summaries(ofHkg1).flatMap(({ window, peers }) =>
      [...(peers[0]?.seconds ?? '')].filter((_, second) => {
        const startMs = (window.start_unix_s + second) * 1000;
        return startMs >= atMs - 2500 && startMs <= atMs - 500;
      }),
    );
    expect(letters.join('')).toMatch(/^bbb?$/);
  });

  it('go on probing while they trace: nothing is lost or refused for it, and every wake-up is counted', () => {
    const [trace] = traces(ofHkg1);
    const startedS = Date.parse(trace?.started_at ?? '') / 1000;
    const during = summaries(ofHkg1).find(
      ({ window: { start_unix_s, length_s } }) => startedS < start_unix_s + length_s,
    );
    expect(during?.instrument.ticks).toBeGreaterThan(0);
    const counts = during?.peers.flatMap(({ paths }) => paths.map((path) => path.counts)) ?? [];
    expect(counts).toHaveLength(3);
    for (const { due, received, lost, refused, missed } of counts) {
      expect({ lost, refused }).toEqual({ lost: 0, refused: 0 });
      // A busy machine misses probes whatever the agent does: they are counted as that, and as nothing else.
      expect(received).toBeGreaterThan(due / 2);
      expect(received + missed).toBe(due);
    }
  });
});

describe.skipIf(missing !== null)(`an agent that is stopped for a while (${missing ?? 'as root'})`, () => {
  it('says that it was in trouble, and of what, and blames no peer', async () => {
    const chain = RouterChain.create('e2estop');
    const rig = await MeshRig.create(['hkg1', 'sin1'], 26);
    try {
      await rig.write('mesh.yaml', MESH);
      await rig.startAgent('sin1', chain.launcher('b'));
      const agent = await rig.startAgent('hkg1', chain.launcher('a'));
      await agent.logged('window sealed');
      agent.process.kill('SIGSTOP');
      await sleep(1500);
      agent.process.kill('SIGCONT');
      expect(await agent.logged('the instrument is in trouble')).toMatchObject({ level: 40 });
      await agent.logged('window sealed', agent.lines.length);
      expect(await agent.end('SIGTERM')).toBe(0);
      const found = await documents(rig, 'hkg1');
      const [sick] = events(found, 'instrument');
      expect(sick).toMatchObject({ state: 'sick', reasons: expect.arrayContaining(['stalls']) });
      expect(events(found, 'pair')).toEqual([]);
    } finally {
      await rig.close();
      chain.close();
    }
  });
});

describe.skipIf(missing !== null)(`an agent that may not open raw sockets (${missing ?? 'as root'})`, () => {
  it('says so once, puts it into the record, and goes on', async () => {
    const chain = RouterChain.create('e2ecap');
    const rig = await MeshRig.create(['hkg1', 'sin1'], 25);
    try {
      await rig.write('mesh.yaml', MESH);
      const agent = await rig.startAgent('hkg1', [...chain.launcher('a'), 'setpriv', '--bounding-set', '-net_raw']);
      const asked = popprobe('trace', 'sin1', '--socket', rig.path('hkg1.sock'));
      expect(asked).toMatchObject({ status: 1, stderr: '' });
      expect(asked.stdout).toMatch(
        /FAILED, this host opens no raw ICMP socket: Operation not permitted; .*CAP_NET_RAW\n$/,
      );
      expect(await agent.logged('path trace failed')).toMatchObject({ level: 40, peer: 'sin1' });
      await agent.logged('window sealed', agent.lines.length);
      expect(await agent.end('SIGTERM')).toBe(0);
      expect(traces(await documents(rig, 'hkg1'))).toMatchObject([
        { outcome: 'failed', hops: [], failure: expect.stringContaining('not permitted') },
      ]);
    } finally {
      await rig.close();
      chain.close();
    }
  });
});
