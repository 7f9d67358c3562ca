/** The agent's wiring: the only place where the stages on the PoP host know one another. */

import { randomBytes, randomUUID } from 'node:crypto';
import { schedule, type ScheduledTask } from 'node-cron';
import type { Logger } from 'pino';
import type { Clock } from '../base/clock.ts';
import { MS_PER_S } from '../base/units.ts';
import type { AgentConfig } from '../config/agent-config.ts';
import { releaseProgramPages } from '../linux/program-pages.ts';
import { chooseMeasuring, type Measuring } from '../probe/measuring.ts';
import { type Probing, type Reflecting, sharedEstimate } from '../probe/probing.ts';
import type { SocketPlan } from '../probe/plan.ts';
import type { SigningKey } from '../protocol/jws.ts';
import { type Answering, answers } from './answers.ts';
import { errorEstimateOf } from './clock-estimate.ts';
import { ClockWatch } from './clock-watch.ts';
import { conditionLine } from './condition.ts';
import {
  type Course,
  type CourseParts,
  type HeldCourse,
  type PlannedCourse,
  planCourse,
  takeCourse,
} from './course.ts';
import { DocumentQueue } from './document-queue.ts';
import { Events } from './events.ts';
import { KeyChange, readConfiguredKeys } from './key-change.ts';
import { notices } from './notices.ts';
import { pusherFor } from './pusher-for.ts';
import { Reload, type ReloadParts } from './reload.ts';
import { Sealer } from './seal.ts';
import { Sealing } from './sealing.ts';
import { openSpool, type Spool } from './spool.ts';
import { claimSpool } from './spool-claim.ts';
import { ServiceStatus } from './service-status.ts';
import { signingPlan } from './signing-plan.ts';
import { serveStatus } from './status-server.ts';
import type { Identity } from './summarize.ts';
import { startTraces, tracePeers } from './trace-wiring.ts';
import { Windows } from './windows.ts';

export interface Agent {
  /** Reads the configuration again and goes on with it, or says why not. See `Reload`. */
  reload(): void;
  /** Seals the running window, tries to deliver, and ends every thread and socket. */
  stop(): Promise<void>;
}

/**
 * Starts the agent: probe → ring → summarize → sign → spool → push, and the local status socket.
 * Throws a PopprobeError when a key, the spool, a socket or a thread is not to be had. `onFailure` hears of a thread
 * that dies later: the agent cannot go on then. `load` reads the configuration again.
 */
export async function startAgent(
  config: AgentConfig,
  software: string,
  log: Logger,
  { load, onFailure }: Pick<ReloadParts, 'load'> & Pick<MeasuringParts, 'onFailure'>,
): Promise<Agent> {
  const measuring = await choose(config, log);
  const running: Running[] = [];
  try {
    const agent = await wire(config, software, { measuring, log, onFailure, running }, load);
    releaseStartPages(log, measuring);
    return agent;
  } catch (error) {
    // A thread left running would probe on, with nobody to summarise.
    for (const part of running.toReversed()) await part.stop();
    throw error;
  }
}

/** The stages in the order in which data passes through them; what has a thread or socket of its own joins `running`. */
async function wire(
  config: AgentConfig,
  software: string,
  parts: MeasuringParts,
  load: ReloadParts['load'],
): Promise<Agent> {
  const { measuring, log, running } = parts;
  const { clock } = measuring;
  const { spool, key, configuredKeys } = await openChain(config, log);
  const pusher = pusherFor(config.collector, spool, log);
  const { startedAt, identity, clockWatch, courseParts, held } = await setOut(config, software, parts);
  const { plan, self, probing } = held.course;
  const { keys, documents } = startDocuments(spool, key, identity, log);
  const probeSockets = (): readonly SocketPlan[] => held.course.plan.sockets;
  const traces = started(running, startTraces(tracePeers(config.mesh, self), probeSockets, { clock, documents, log }));
  const sealing = startSealing(held.course, documents, clock);
  const events = new Events({ clock, held, documents, spool, sealing, traces, log });
  const reload = new Reload({ load, held, courseParts, traces, sealing, keys, log });
  const stages = {
    identity,
    startedAt,
    measuring,
    held,
    clockWatch,
    pusher,
    spool,
    keys,
    documents,
    events,
    traces,
    reload,
  };
  const status = started(running, await serveStatus(config.statusSocket, answers(stages)));
  const service = started(running, openService(stages, log));

  pusher.start();
  await keys.use(configuredKeys);
  const windows = lookEachSecond({ events, sealing, documents, reload, service }, log);
  log.info({ pop: config.pop, paths: plan.paths.length, sockets: probing.sockets }, 'probing');
  service.ready();
  return {
    reload() {
      void service.whileReloading(reload.request());
    },
    async stop() {
      service.stopping();
      await windows.destroy();
      await reload.stop();
      const { course } = held;
      for (const part of [clockWatch, course.probing, course.reflecting, traces]) await part.stop();
      await sealing.finish();
      for (const part of [pusher, status, service]) await part.stop();
      log.info('stopped');
    },
  };
}

/** The spool and the keys. Whether these sign its chain is told before anything else is begun. */
async function openChain(config: AgentConfig, log: Logger) {
  const configuredKeys = await readConfiguredKeys(config);
  const spool = await openSpool(config.spool, log, (directory) => claimSpool(directory, log));
  const { key } = signingPlan(spool.head?.nextKid ?? null, configuredKeys);
  return { spool, key, configuredKeys };
}

/** Makes the plans, starts the threads, and puts those to them who read what they measure. */
async function setOut(config: AgentConfig, software: string, parts: MeasuringParts) {
  const { measuring, log } = parts;
  const session = randomBytes(4).readUInt32BE();
  const planned = await planCourse(config, { session });
  const startedAt = new Date().toISOString();
  releaseStartPages(log, measuring);
  const { clockWatch, ...threads } = await startMeasuring(planned, parts);
  const identity = identityOf(config, software, measuring);
  const courseParts: CourseParts = {
    session,
    clock: measuring.clock,
    clockState: () => clockWatch.state,
    identity: ({ digest }) => ({ ...identity, configDigest: digest }),
  };
  const held: HeldCourse = { course: takeCourse(planned, threads, courseParts) };
  return { startedAt, identity, clockWatch, courseParts, held };
}

/** Where documents are made, and wait while the disk refuses. */
function startDocuments(spool: Spool, key: SigningKey, { pop, bootId, software }: Identity, log: Logger) {
  const sealer = new Sealer(spool, key, () => Date.now() / MS_PER_S, { pop, boot_id: bootId, software });
  const documents = new DocumentQueue({ sealer, gaps: spool, nowUnixMs: Date.now, log });
  return { keys: new KeyChange(sealer, log), documents };
}

function openService({ held, spool, documents, pusher, reload }: Answering, log: Logger): ServiceStatus {
  const condition = (): string =>
    conditionLine({
      paths: held.course.plan.paths.length,
      spool: spool.status(),
      sealing: documents.status(),
      push: pusher.status(),
      reload,
    });
  return ServiceStatus.open(process.env['NOTIFY_SOCKET'], condition, log);
}

function startSealing({ config, plan, summarizer }: Course, documents: DocumentQueue, clock: Clock): Sealing {
  const windows = new Windows(config.mesh.windowS, clock);
  return new Sealing({ clock, windows, summarizer, documents, tmaxNs: plan.tmaxNs, tickNs: plan.tickNs });
}

interface MeasuringParts {
  measuring: Measuring;
  log: Logger;
  onFailure: (error: unknown) => void;
  running: Running[];
}

/** The measuring threads, and the watch over the clock, whose newest state both put into every packet. */
async function startMeasuring(
  { plan, reflector }: PlannedCourse,
  { measuring, log, onFailure, running }: MeasuringParts,
): Promise<{ clockWatch: ClockWatch; reflecting: Reflecting; probing: Probing }> {
  const estimate = sharedEstimate();
  const clockWatch = started(
    running,
    await ClockWatch.start(measuring.clockState, log, (state) => Atomics.store(estimate, 0, errorEstimateOf(state))),
  );
  const reflecting = started(running, await measuring.startReflecting(reflector.plan, onFailure, estimate));
  const probing = started(running, await measuring.startProbing(plan, onFailure, estimate));
  for (const notice of notices(probing.sockets)) log.warn(notice);
  return { clockWatch, reflecting, probing };
}

function identityOf(config: AgentConfig, software: string, { reason }: Measuring): Identity {
  return { pop: config.pop, bootId: randomUUID(), configDigest: config.digest, software, transportReason: reason };
}

async function choose({ transport }: AgentConfig, log: Logger): Promise<Measuring> {
  const measuring = await chooseMeasuring(transport);
  const { reason, explanation } = measuring;
  if (reason !== null) log.warn({ reason, explanation }, 'no kernel timestamps: portable transport');
  return measuring;
}

/** Before the threads start, so that the start's highest memory is not the sum of its steps; and when all is running. */
function releaseStartPages(log: Logger, { reason }: Measuring): void {
  // The C library does it, without which the portable transport lives.
  if (reason !== null) return;
  try {
    log.debug({ bytes: releaseProgramPages() }, 'let go of the pages of Node.js that only the start has needed');
  } catch (error) {
    log.warn({ err: error }, 'cannot let go of the pages of Node.js that only the start has needed');
  }
}

interface Running {
  stop(): Promise<void>;
}

function started<Part extends Running>(running: Running[], part: Part): Part {
  running.push(part);
  return part;
}

interface EachSecond {
  events: Events;
  sealing: Sealing;
  documents: DocumentQueue;
  reload: Reload;
  service: ServiceStatus;
}

/** Each second rather than each window: a window is sealed when its last reply is in, not Tmax later on principle. */
function lookEachSecond({ events, sealing, documents, reload, service }: EachSecond, log: Logger): ScheduledTask {
  let before = { latest: documents.latest, taken: 0 };
  const turn = async (): Promise<void> => {
    // A second after a window was sealed, and most likely delivered, nothing of it is needed any more, nor of a course a
    // second after another one was taken. Where V8 may be asked (see cli/agent-runtime.ts), it gives the memory back now
    // and not when it next runs out.
    const now = { latest: documents.latest, taken: reload.status().taken };
    if (now.latest !== before.latest || now.taken !== before.taken) globalThis.gc?.();
    before = now;
    try {
      events.turn();
    } finally {
      // Whatever becomes of the events: a window must be sealed.
      await sealing.turn();
    }
    await reload.turn();
    service.show();
  };
  return schedule('* * * * * *', turn, {
    name: 'seal windows',
    noOverlap: true,
    // A turn that was skipped costs nothing: the next one seals whatever is ready. On a busy host node-cron would warn of
    // each, whether it came too late or found the one before still running.
    suppressMissedWarning: true,
    logger: {
      info: (message) => log.debug(message),
      warn: (message) => log.debug(message),
      error: (error, cause) => log.error({ err: cause ?? error }, 'a turn of the sealing failed'),
      debug: (message) => log.debug(message),
    },
  });
}
