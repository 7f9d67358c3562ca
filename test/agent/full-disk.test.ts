/** A full disk under the real pieces from the ring to the spool: what is sealed, what waits, what is given up, and that a record says so. */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DocumentQueue } from '../../src/agent/document-queue.ts';
import type { NumberRange } from '../../src/agent/number-ranges.ts';
import { covers } from '../../src/agent/number-ranges.ts';
import { Sealer } from '../../src/agent/seal.ts';
import { Sealing } from '../../src/agent/sealing.ts';
import { Summarizer } from '../../src/agent/summarize.ts';
import { Windows } from '../../src/agent/windows.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { NS_PER_MS, NS_PER_S } from '../../src/base/units.ts';
import { UNKNOWN_CLOCK } from '../../src/linux/clock-state.ts';
import type { Summary } from '../../src/protocol/summary.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import type { ChainRecord } from '../../src/protocol/record.ts';
import { rootMissing } from '../linux/privileges.ts';
import { FakeClock } from '../probe/fake-clock.ts';
import { buildKey } from '../protocol/summary-fixture.ts';
import { pathPlan, RingRig, TMAX_NS } from './ring-rig.ts';
import { fill, mountTmpfs } from './small-disk.ts';
import { open, silentLog, temporaryFolder } from './spool-fixture.ts';

type Document = (Summary | ChainRecord) & { digest: string };

const WINDOW_S = 5;
/** Room for some hundred documents of this test. */
const MAX_BYTES = 200_000;

async function startAgent(disk: string) {
  const clock = new FakeClock();
  const path = pathPlan({ capacity: 1024 });
  const rig = new RingRig([path]);
  const plan = {
    session: 1,
    tmaxNs: TMAX_NS,
    tickNs: 5 * NS_PER_MS,
    schedule: 'periodic' as const,
    windowS: WINDOW_S,
    sockets: [],
    paths: [path],
  };
  const { probing, reflecting } = rig;
  const identity = { pop: 'hkg1', bootId: 'x', configDigest: '', software: '', transportReason: null };
  const spool = await open(join(disk, 'spool'), MAX_BYTES);
  const frame = { pop: 'hkg1', boot_id: 'x', software: '' };
  const sealer = new Sealer(spool, await buildKey(), () => 1000, frame);
  const documents = new DocumentQueue({
    sealer,
    gaps: spool,
    nowUnixMs: () => clock.wallSeconds * 1000,
    log: silentLog,
  });
  const summarizer = new Summarizer({
    identity,
    plan,
    sessions: [],
    probing,
    reflecting,
    clockState: () => UNKNOWN_CLOCK,
  });
  const sealing = new Sealing({ clock, windows: new Windows(WINDOW_S, clock), summarizer, documents, ...plan });
  return {
    spool,
    documents,
    sealing,
    /** Lets windows pass, each with its probes, and looks after each as the agent does. */
    async runWindows(count: number): Promise<void> {
      for (let window = 0; window < count; window += 1) {
        clock.read();
        rig.received(0, clock.monoNs + NS_PER_S, { rawNs: NS_PER_MS });
        clock.advance(WINDOW_S * NS_PER_S);
        rig.opened(clock.monoNs);
        clock.read();
        reflecting.tally.advanceHorizon(clock.wallSeconds);
        await sealing.turn();
      }
    },
  };
}

type Agent = Awaited<ReturnType<typeof startAgent>>;

/** Everything that waits, in the order of the chain. */
async function waitingDocuments({ spool }: Agent): Promise<Document[]> {
  const documents: Document[] = [];
  for (let next = spool.after(0); next !== null; next = spool.after(next)) {
    const octets = (await spool.read(next))?.octets ?? Buffer.of();
    documents.push({ ...JSON.parse(Buffer.from(octets).toString()), digest: digestOf(octets) });
  }
  return documents;
}

async function deliverAll(agent: Agent): Promise<Document[]> {
  const documents = await waitingDocuments(agent);
  for (const { sequence } of documents) await agent.spool.delivered(sequence);
  return documents;
}

const eventsOf = (documents: readonly Document[]): ChainRecord['event'][] =>
  documents.flatMap((document) => ('event' in document ? [document.event] : []));

/** Whether a document names the one before it. */
function linkOf(before: Document | undefined, { sequence, prev }: Document): string {
  if (before?.sequence !== sequence - 1) return 'behind a gap';
  return prev === before.digest ? 'whole' : `broken at ${sequence}`;
}

/** Numbers between the first and the last of these that are neither there nor declared. */
function unexcused(documents: readonly Document[], first: number): number[] {
  const declared = eventsOf(documents).flatMap((event) => (event.kind === 'gap' ? event.ranges : [])) as NumberRange[];
  const there = new Set(documents.map(({ sequence }) => sequence));
  const last = documents.at(-1)?.sequence ?? 0;
  const all = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  return all.filter((sequence) => !there.has(sequence) && !covers(declared, sequence));
}

it.skipIf(rootMissing())(
  `a disk that fills up costs what no bound can hold, and a record says all of it (${rootMissing() ?? 'as root'})`,
  async () => {
    const disk = mountTmpfs(join(await temporaryFolder(), 'disk'), 'size=2m');
    const agent = await startAgent(disk);
    const { spool, documents } = agent;
    await agent.runWindows(3);
    const before = spool.waiting;

    // Something else fills the disk: nothing that is signed goes, the newest windows wait in memory.
    const ballast = await fill(disk);
    await agent.runWindows(LIMITS.summariesWaitingMax + 5);
    expect(spool.status().degraded?.reason).toMatch(/ENOSPC/);
    expect(documents.status().summaries).toEqual({ waiting: LIMITS.summariesWaitingMax, discarded: 5 });
    expect(spool.waiting).toEqual(before);

    // There is room again: all that waited is sealed, and what did not find room in memory is declared.
    await rm(ballast);
    await agent.runWindows(1);
    expect(spool.status().degraded).toBeNull();
    expect(documents.status().summaries).toEqual({ waiting: 0, discarded: 5 });
    const unsealed = { kind: 'unsealed', windows: 5, reason: 'disk' };
    expect(eventsOf(await waitingDocuments(agent))).toEqual([expect.objectContaining(unsealed)]);

    // The collector stays away, until the spool is full by its own bound: the oldest go, and the records among them.
    await agent.runWindows(190);
    expect(spool.status().bytes).toBeLessThanOrEqual(MAX_BYTES);
    expect(spool.status()).toMatchObject({
      discarded: expect.toSatisfy((count: number) => count > 100),
      degraded: null,
    });

    // The collector is back.
    const delivered = await deliverAll(agent);
    await agent.runWindows(2);
    const all = [...delivered, ...(await deliverAll(agent))];
    expect(unexcused(all, before.oldest ?? 0)).toEqual([]);
    const links = all.map((document, at) => linkOf(all[at - 1], document));
    expect(new Set(links)).toEqual(new Set(['whole', 'behind a gap']));
    expect(spool.pendingGaps()).toEqual([]);
  },
);
