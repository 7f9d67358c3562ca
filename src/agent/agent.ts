/** The agent's wiring: the only place where the stages on the PoP host know one another. */

import { randomBytes, randomUUID } from 'node:crypto';
import { schedule, type ScheduledTask } from 'node-cron';
import type { Logger } from 'pino';
import { PopprobeError } from '../base/errors.ts';
import { MS_PER_S } from '../base/units.ts';
import type { AgentConfig } from '../config/agent-config.ts';
import { readSigningKey } from '../config/signing-key.ts';
import type { MeshPop } from '../config/mesh-config.ts';
import { releaseProgramPages } from '../linux/program-pages.ts';
import { chooseMeasuring, type Measuring } from '../probe/measuring.ts';
import type { ProbePlan, ReflectorPlan } from '../probe/plan.ts';
import { type Probing, type Reflecting, sharedEstimate } from '../probe/probing.ts';
import { errorEstimateOf } from './clock-estimate.ts';
import { ClockWatch } from './clock-watch.ts';
import type { Route } from './local-api.ts';
import { notices } from './notices.ts';
import { PairWatch } from './pair-watch.ts';
import { planProbes } from './plan.ts';
import { nameSessions, planReflector } from './plan-reflector.ts';
import { loadStampKeys } from './stamp-keys.ts';
import { Pusher } from './push.ts';
import { Sealer } from './seal.ts';
import { Sealing } from './sealing.ts';
import { openSpool, type Spool } from './spool.ts';
import { serveStatus } from './status-server.ts';
import { statusText } from './status-text.ts';
import type { PackedStatus } from './status.ts';
import { type Identity, Summarizer } from './summarize.ts';
import { readTraceQuestion } from './trace-question.ts';
import { followPairs, startTraces } from './trace-wiring.ts';
import type { Traces } from './traces.ts';
import { Windows } from './windows.ts';

export interface Agent {
  /** Seals the running window, tries to deliver, and ends every thread and socket. */
  stop(): Promise<void>;
}

/**
 * Starts the agent: probe → ring → summarize → sign → spool → push, and the local status socket.
 * Throws a PopprobeError when a key, the spool, a socket or a thread is not to be had. `onFailure` hears of a thread
 * that dies later: the agent cannot go on then.
 */
export async function startAgent(
  config: AgentConfig,
  software: string,
  log: Logger,
  onFailure: (error: unknown) => void,
): Promise<Agent> {
  const measuring = await choose(config, log);
  const running: Running[] = [];
  try {
    const agent = await wire(config, software, { measuring, log, onFailure, running });
    releaseStartPages(log, measuring);
    return agent;
  } catch (error) {
    // A thread left running would probe on, with nobody to summarise.
    for (const part of running.toReversed()) await part.stop();
    throw error;
  }
}

/** The stages in the order in which data passes through them; what has a thread or socket of its own joins `running`. */
async function wire(config: AgentConfig, software: string, parts: MeasuringParts): Promise<Agent> {
  const { measuring, log, running } = parts;
  const self = ownPop(config);
  const key = await readSigningKey(config.keyFile);
  const spool = await openSpool(config.spool, log);
  const stampKeys = await loadStampKeys(config.stampKeys, config.mesh, self);
  const plan = planProbes(config.mesh, self, config.tickMs, randomBytes(4).readUInt32BE(), stampKeys);
  const startedAt = new Date().toISOString();
  const reflectorPlan = planReflector(config.mesh, self, config.reflector, stampKeys);
  releaseStartPages(log, measuring);
  const { clockWatch, reflecting, probing } = await startMeasuring(plan, reflectorPlan, parts);

  const sessions = nameSessions(config.mesh, self);
  const identity = identityOf(config, software, measuring);
  const traces = started(running, startTraces(config.mesh, self, plan, measuring.clock, log));
  const pairs = new PairWatch(plan, probing.ring, measuring.clock);
  const sealing = new Sealing({
    clock: measuring.clock,
    windows: new Windows(config.mesh.windowS, measuring.clock),
    summarizer: new Summarizer(identity, plan, sessions, probing, reflecting, () => clockWatch.state),
    sealer: new Sealer(spool, key, () => Math.floor(Date.now() / MS_PER_S)),
    traces,
    tmaxNs: plan.tmaxNs,
    tickNs: plan.tickNs,
    log,
  });
  const pusher = new Pusher({ url: config.collectorUrl, spool, log, random: Math.random, nowMs: Date.now });
  const sources = { identity, startedAt, measuring, probing, clockWatch, pusher, spool, sealing, traces };
  const routes = answers(traces, () => statusOf(sources));
  const status = started(running, await serveStatus(config.statusSocket, routes));

  pusher.start();
  const windows = lookEachSecond(sealing, () => followPairs(pairs, traces, log), log);
  log.info({ pop: self.name, paths: plan.paths.length, sockets: probing.sockets }, 'probing');
  return {
    async stop() {
      await windows.destroy();
      await clockWatch.stop();
      await probing.stop();
      await reflecting.stop();
      await traces.stop();
      await sealing.finish();
      await pusher.stop();
      await status.stop();
      log.info('stopped');
    },
  };
}

interface MeasuringParts {
  measuring: Measuring;
  log: Logger;
  onFailure: (error: unknown) => void;
  running: Running[];
}

/** The measuring threads, and the watch over the clock, whose newest state both put into every packet. */
async function startMeasuring(
  plan: ProbePlan,
  reflectorPlan: ReflectorPlan,
  { measuring, log, onFailure, running }: MeasuringParts,
): Promise<{ clockWatch: ClockWatch; reflecting: Reflecting; probing: Probing }> {
  const estimate = sharedEstimate();
  const clockWatch = started(
    running,
    await ClockWatch.start(measuring.clockState, log, (state) => Atomics.store(estimate, 0, errorEstimateOf(state))),
  );
  const reflecting = started(running, await measuring.startReflecting(reflectorPlan, onFailure, estimate));
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

/** The stages that a status is read from. */
interface StatusSources {
  identity: Identity;
  measuring: Measuring;
  startedAt: string;
  probing: Probing;
  clockWatch: ClockWatch;
  pusher: Pusher;
  spool: Spool;
  sealing: Sealing;
  traces: Traces;
}

function statusOf({ identity, startedAt, measuring, probing, clockWatch, ...stages }: StatusSources): PackedStatus {
  return {
    pop: identity.pop,
    boot_id: identity.bootId,
    software: identity.software,
    started_at: startedAt,
    sockets: probing.sockets,
    transport_reason: measuring.reason,
    clock: clockWatch.state,
    push: stages.pusher.status(),
    spool: stages.spool.status(),
    sealing: stages.sealing.status(),
    traces: stages.traces.status(),
    latest: stages.sealing.latest,
  };
}

/** What the agent answers on its Unix socket. */
function answers(traces: Traces, status: () => PackedStatus): Route[] {
  return [
    { method: 'GET', path: '/v1/status', answer: () => statusText(status()) },
    {
      method: 'POST',
      path: '/v1/trace',
      answer(text) {
        const { peer, family } = readTraceQuestion(text);
        return traces.request(peer, family);
      },
    },
  ];
}

interface Running {
  stop(): Promise<void>;
}

function started<Part extends Running>(running: Running[], part: Part): Part {
  running.push(part);
  return part;
}

/** Each second rather than each window: a window is sealed when its last reply is in, not Tmax later on principle. */
function lookEachSecond(sealing: Sealing, watchPairs: () => void, log: Logger): ScheduledTask {
  let before = sealing.latest;
  const turn = async (): Promise<void> => {
    // A second after a window was sealed, and most likely delivered, nothing of it is needed any more. Where V8 may be
    // asked (see cli/agent-runtime.ts), it gives the memory back now and not when it next runs out.
    if (sealing.latest !== before) globalThis.gc?.();
    before = sealing.latest;
    try {
      watchPairs();
    } finally {
      // Whatever becomes of the pairs: a window must be sealed.
      await sealing.turn();
    }
  };
  return schedule('* * * * * *', turn, {
    name: 'seal windows',
    noOverlap: true,
    // A turn that was skipped costs nothing: the next one seals whatever is ready.
    suppressMissedWarning: true,
    logger: log,
  });
}

function ownPop(config: AgentConfig): MeshPop {
  const self = config.mesh.pops.find((pop) => pop.name === config.pop);
  if (self) return self;
  throw new PopprobeError('config_conflict', {
    expected: `a PoP named ${config.pop} in the mesh`,
    found: config.mesh.pops.map((pop) => pop.name).join(', '),
    remedy: 'run "popprobe check" on the agent file',
  });
}
