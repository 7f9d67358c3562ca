/** From the seal to the collector's disk: how long sealing takes, how fast backlogs drain, and what a thousand do at once. */

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { memoryMb } from '../proc.ts';
import { nextMessage, type RunningProgram, startOwn } from '../processes.ts';
import { atLeast, atMost, info, quantile, type Row } from '../report.ts';
import { SETTINGS, TARGETS } from '../settings.ts';
import type { AgentsReady, AgentsReport, AgentsRequest } from './agents-process.ts';
import { answeredBy, type CollectorProgram, startCollector } from './collector-program.ts';
import { fillSpool, makeKey } from './documents.ts';
import type { SealReport, SealRequest } from './seal-process.ts';

/** Keys, spools and databases go to folders in this one, which should be on a disk. */
export async function benchDelivery(parent: string): Promise<Row[]> {
  return [
    ...(await benchSealing(join(parent, 'sealing'))),
    ...(await benchBacklogs(parent)),
    ...(await benchCrowds(parent)),
  ];
}

async function benchSealing(folder: string): Promise<Row[]> {
  mkdirSync(folder);
  await makeKey(folder, 'fra');
  const program = startOwn(null, './delivery/seal-process.js');
  program.child.send({ directory: join(folder, 'spool'), keyFile: join(folder, 'fra.key') } satisfies SealRequest);
  const { sealMs, bytes } = await nextMessage<SealReport>(program);
  await program.ended;
  const name = `Sealing ${SETTINGS.delivery.peers} peers, ${bytes} octets`;
  return [
    info(`${name}: median until it is on the disk`, `${quantile(sealMs, 0.5).toFixed(1)} ms`),
    atMost(`${name}: p99 of ${sealMs.length}`, quantile(sealMs, 0.99), TARGETS.sealP99MsMax, 'ms'),
  ];
}

interface Drained extends AgentsReady, AgentsReport {
  documents: number;
  collectorPeakMb: number;
  answered: Awaited<ReturnType<typeof answeredBy>>;
}

async function benchBacklogs(parent: string): Promise<Row[]> {
  const rows: Row[] = [];
  const rss: number[] = [];
  for (const documents of SETTINGS.delivery.backlogs) {
    const folder = join(parent, `backlog-${documents}`);
    const pops = await fillSpools(folder, 1, documents);
    const rssMb = await rssWithSpoolOpen(folder, pops);
    const drained = await drainTogether(folder, pops, documents);
    const name = `Backlog of ${documents} documents, one agent`;
    rss.push(rssMb);
    rows.push(
      atMost(`${name}: opening the spool`, drained.openMs, TARGETS.spoolOpenMsMax, 'ms'),
      info(`${name}: RSS with the spool open, and the highest`, `${mb(rssMb)}, ${mb(drained.peakMb)}`),
      info(`${name}: highest RSS of the collector`, mb(drained.collectorPeakMb)),
      ...targetRows(name, drained),
      ...completeness(name, drained),
    );
  }
  const [few = Number.NaN, many = Number.NaN] = rss;
  const name = 'Backlog: RSS with the long one open - with the short one';
  return [...rows, atMost(name, many - few, TARGETS.backlogRssMbMax, 'MB')];
}

async function benchCrowds(parent: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { agents, documents } of SETTINGS.delivery.crowds) {
    const folder = join(parent, `crowd-${agents}`);
    const drained = await drainTogether(folder, await fillSpools(folder, agents, documents), documents);
    const name = `${agents} agents back at once, ${documents} documents each`;
    rows.push(
      info(`${name}: documents/s`, rateOf(drained).toFixed(0)),
      info(`${name}: highest RSS of the collector`, mb(drained.collectorPeakMb)),
      info(`${name}: told to come later`, String(drained.answered.refused['busy'] ?? 0)),
      info(`${name}: sealed meanwhile, delivered after, median`, `${quantile(drained.freshMs, 0.5).toFixed(0)} ms`),
      ...completeness(name, drained),
    );
  }
  return rows;
}

/** A spool and a key for each of so many PoPs, whose names are returned. */
async function fillSpools(folder: string, agents: number, each: number): Promise<string[]> {
  mkdirSync(folder);
  const pops = Array.from({ length: agents }, (_, index) => `pop-${index + 1}`);
  for (const pop of pops) fillSpool(join(folder, 'spool', pop), pop, await makeKey(folder, pop), each);
  return pops;
}

/** The median of several processes: when V8 has collected its garbage last makes two megabytes. */
async function rssWithSpoolOpen(folder: string, pops: readonly string[]): Promise<number> {
  const rss: number[] = [];
  for (let round = 0; round < SETTINGS.delivery.openRounds; round += 1) {
    const program = startOwn(null, './delivery/agents-process.js');
    program.child.send({ folder, pops, url: 'http://127.0.0.1' } satisfies AgentsRequest);
    await nextMessage<AgentsReady>(program);
    rss.push(memoryMb(program.pid).rss);
    await program.stop('SIGKILL');
  }
  return quantile(rss, 0.5);
}

/** Starts the collector and the agents, and waits until nothing waits any more. */
async function drainTogether(folder: string, pops: readonly string[], each: number): Promise<Drained> {
  const collector = await startCollector(folder, pops);
  const program = startOwn(null, './delivery/agents-process.js');
  program.child.send({ folder, pops, url: collector.url } satisfies AgentsRequest);
  const ready = await nextMessage<AgentsReady>(program);
  program.child.send('go');
  const report = await nextMessage<AgentsReport>(program);
  const drained = { ...ready, ...report, documents: pops.length * each + report.freshMs.length };
  return { ...drained, ...(await end(program, collector, folder)) };
}

async function end(program: RunningProgram, collector: CollectorProgram, folder: string) {
  const collectorPeakMb = memoryMb(collector.program.pid).peak;
  const answered = await answeredBy(collector);
  await program.ended;
  await collector.program.stop('SIGTERM');
  rmSync(folder, { recursive: true });
  return { collectorPeakMb, answered };
}

/** A short one is over before the pace has been found: its rate says nothing. */
function targetRows(name: string, drained: Drained): Row[] {
  const { freshMs, documents } = drained;
  const rate = `${name}: documents/s`;
  const isLong = documents >= SETTINGS.delivery.longBacklog;
  const fresh = `${name}: sealed meanwhile (${freshMs.length}), delivered after, p99`;
  return [
    isLong ? atLeast(rate, rateOf(drained), TARGETS.drainPerSecondMin) : info(rate, rateOf(drained).toFixed(0)),
    atMost(fresh, quantile(freshMs, 0.99), TARGETS.freshP99MsMax, 'ms'),
  ];
}

/** All of it stored, which is what acceptance exactly once means here: the numbers are all different. */
function completeness(name: string, { documents, answered, quarantined }: Drained): Row[] {
  return [
    atMost(`${name}: not stored, or in the quarantine`, documents - answered.accepted + quarantined, 0),
    info(`${name}: sent twice`, String(answered.duplicate)),
  ];
}

function rateOf({ documents, drainMs }: Drained): number {
  return (documents * 1000) / drainMs;
}

function mb(value: number): string {
  return `${value.toFixed(1)} MB`;
}
