/** Another configuration while the agent runs: checked, staged until a window ends, and taken without losing a probe. */

import type { Logger } from 'pino';
import { unixMsAt } from '../base/clock.ts';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { NS_PER_S } from '../base/units.ts';
import type { AgentConfig } from '../config/agent-config.ts';
import { formatProblem, type Loaded } from '../config/problem.ts';
import type { ProbePlan } from '../probe/plan.ts';
import type { Probing } from '../probe/probing.ts';
import {
  type Course,
  type CourseParts,
  type HeldCourse,
  type PlannedCourse,
  planCourse,
  takeCourse,
} from './course.ts';
import type { KeyChange } from './key-change.ts';
import {
  bothReflectors,
  endingPaths,
  keptPaths,
  keptSessions,
  needingRestart,
  sessionsOfOnePeer,
} from './plan-change.ts';
import type { ReflectorCourse } from './plan-reflector.ts';
import type { Sealing } from './sealing.ts';
import { Serial } from './serial.ts';
import type { ConfiguredKeys } from './signing-plan.ts';
import { tracePeers } from './trace-wiring.ts';
import type { Traces } from './traces.ts';
import { windowEndNs } from './windows.ts';

/** Too short a time to stop paths before a window ends: the next one will do. */
const STAGE_NS_MIN = NS_PER_S;
/** What a clock step may have moved the end of a window by, so that it still is the one that was meant. */
const BOUNDARY_NS = NS_PER_S;

export interface ReloadParts {
  /** Reads and checks the files again. */
  load: (signal: AbortSignal) => Promise<Loaded<AgentConfig>>;
  /** Replaced by the next course. */
  held: HeldCourse;
  courseParts: CourseParts;
  traces: Pick<Traces, 'use'>;
  sealing: Pick<Sealing, 'exclusively' | 'readUntilNs' | 'use'>;
  keys: Pick<KeyChange, 'read' | 'check' | 'use'>;
  log: Logger;
}

export interface ReloadStatus {
  /** Digest of the configuration that is in force. */
  digest: string;
  /** One that was accepted and waits for the end of a window, ms since the Unix epoch; null when none does. */
  staged: { digest: string; appliesAtMs: number } | null;
  /** Since the agent started: configurations taken, and refused. */
  taken: number;
  refused: number;
  /** Why the last one was refused; it stays when a later one is taken. */
  lastRefusal: string | null;
}

interface Staged {
  planned: PlannedCourse;
  keys: ConfiguredKeys;
  /** From when on the paths that go are silent, ns on CLOCK_MONOTONIC. */
  boundaryNs: number;
  appliesAtMs: number;
}

export class Reload {
  readonly #parts: ReloadParts;
  readonly #serial = new Serial();
  readonly #stopping = new AbortController();
  #staged: Staged | null = null;
  /** Of the configuration in force alone: the reflector may answer sessions of others besides. */
  #own: ReflectorCourse;
  /** One that was asked for and has not begun reads what is there when it does. */
  #isAsked = false;
  readonly #counts = { taken: 0, refused: 0 };
  #lastRefusal: string | null = null;
  #isRefused = false;

  constructor(parts: ReloadParts) {
    this.#parts = parts;
    this.#own = parts.held.course.reflector;
  }

  status(): ReloadStatus {
    const staged = this.#staged;
    return {
      digest: this.#parts.held.course.config.digest,
      staged: staged && { digest: staged.planned.config.digest, appliesAtMs: staged.appliesAtMs },
      ...this.#counts,
      lastRefusal: this.#lastRefusal,
    };
  }

  /** Whether the configuration that was read last was refused: this agent would not start with the files as they are. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** Reads the configuration again and stages it, or says why not. Never rejects. */
  request(): Promise<void> {
    if (this.#isAsked) return Promise.resolve();
    this.#isAsked = true;
    return this.#serial.run(() => this.#attempt(() => this.#stage()));
  }

  /** Takes a staged configuration whose window has ended. Called each second, never rejects. */
  turn(): Promise<void> {
    return this.#serial.run(async () => {
      const staged = this.#staged;
      if (staged && this.#parts.sealing.readUntilNs >= staged.boundaryNs - BOUNDARY_NS) {
        await this.#attempt(() => this.#parts.sealing.exclusively(() => this.#apply(staged)));
      }
    });
  }

  /** Waits for what is under way; from here on nothing changes any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#staged = null;
    await this.#serial.run(() => Promise.resolve());
  }

  async #attempt(step: () => Promise<void>): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    try {
      await step();
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#refuse([error instanceof Error ? error.message : String(error)]);
    }
  }

  async #stage(): Promise<void> {
    this.#isAsked = false;
    const { load, held, courseParts, sealing, keys: keyChange, log } = this.#parts;
    const { config, problems } = await load(this.#stopping.signal);
    if (config === null) {
      this.#refuse(problems.map(formatProblem));
      return;
    }
    refuseWhatNeedsRestart(held.course, config);
    const keys = await keyChange.read(config);
    const planned = await planCourse(config, courseParts);
    const reflector = this.#reflectorWith(planned.reflector);
    await sealing.exclusively(() => this.#reflect(reflector));
    const { plan, probing } = held.course;
    const ending = endingPaths(plan, keptPaths(plan, planned.plan));
    const { boundaryNs, appliesAtMs } = this.#boundary(config.mesh.windowS);
    await probing.change?.stopAt(ending, boundaryNs);
    this.#staged = { planned, keys, boundaryNs, appliesAtMs };
    this.#isRefused = false;
    log.level = config.logLevel;
    const appliesAt = new Date(appliesAtMs).toISOString();
    log.info({ digest: config.digest, appliesAt, ending: ending.length }, 'configuration accepted, staged');
  }

  /**
   * What is answered until another configuration is taken: its sessions besides all that are answered now, since a peer may
   * have taken already what was staged here. What configurations have left that were not taken goes where there is no room.
   */
  #reflectorWith(next: ReflectorCourse): ReflectorCourse {
    const all = bothReflectors(this.#parts.held.course.reflector, next);
    const sessions = sessionsOfOnePeer(all.names);
    if (sessions <= LIMITS.reflectedSessionsMax) return all;
    if (this.#staged === null) return bothReflectors(this.#own, next);
    throw new PopprobeError('reload_too_soon', {
      expected: `at most ${LIMITS.reflectedSessionsMax} STAMP sessions of one peer over the configurations of one window`,
      found: `${sessions} together with the one in force and what was staged since`,
      remedy: 'reload again when the staged configuration has been taken: "popprobe status" shows from when on it is',
    });
  }

  /** The reflector goes on with these sessions, at once. */
  async #reflect(reflector: ReflectorCourse): Promise<void> {
    const { held } = this.#parts;
    const { course } = held;
    const kept = keptSessions(course.reflector.plan, reflector.plan);
    const reflecting = await course.reflecting.replan?.(reflector.plan, kept);
    if (!reflecting) return;
    course.summarizer.reflect(reflecting, reflector.names);
    held.course = { ...course, reflecting, reflector };
  }

  #boundary(windowS: number): { boundaryNs: number; appliesAtMs: number } {
    const { clock } = this.#parts.courseParts;
    clock.read();
    const endNs = windowEndNs(windowS, clock);
    const boundaryNs = endNs - clock.monoNs < STAGE_NS_MIN ? endNs + windowS * NS_PER_S : endNs;
    return { boundaryNs, appliesAtMs: unixMsAt(clock, boundaryNs) };
  }

  /** While no window is read: everything before the boundary is summarised, nothing behind it. */
  async #apply({ planned, keys }: Staged): Promise<void> {
    this.#staged = null;
    const { held, courseParts, traces, sealing, keys: keyChange, log } = this.#parts;
    // Before anything has changed: a change of keys may have been announced since.
    keyChange.check(keys);
    const { course } = held;
    const { plan, reflector, config, self } = planned;
    const kept = keptPaths(course.plan, plan);
    const probing = await this.#replan(course.probing, plan, kept);
    const sessions = keptSessions(course.reflector.plan, reflector.plan);
    const reflecting = (await course.reflecting.replan?.(reflector.plan, sessions)) ?? course.reflecting;
    held.course = takeCourse(planned, { probing, reflecting }, courseParts, { course, kept });
    this.#own = reflector;
    traces.use(tracePeers(config.mesh, self));
    sealing.use({ summarizer: held.course.summarizer, tmaxNs: plan.tmaxNs, tickNs: plan.tickNs });
    await keyChange.use(keys);
    this.#counts.taken += 1;
    const continued = kept.filter((path) => path >= 0).length;
    log.info({ digest: config.digest, paths: kept.length, continued }, 'configuration taken');
  }

  /** Paths that were to go for a plan that cannot be had go on. */
  async #replan({ change }: Probing, plan: ProbePlan, kept: readonly number[]): Promise<Probing> {
    if (!change) throw new Error('a transport that can change its plan expected');
    try {
      return await change.replan(plan, kept);
    } catch (error) {
      await change.stopAt([], 0);
      throw error;
    }
  }

  #refuse(reasons: readonly string[]): void {
    this.#counts.refused += 1;
    this.#isRefused = true;
    this.#lastRefusal = reasons[0] ?? 'no reason';
    for (const reason of reasons) this.#parts.log.error({ reason }, 'configuration refused, the running one stays');
  }
}

function refuseWhatNeedsRestart({ config: before, probing }: Course, after: AgentConfig): void {
  const names = needingRestart(before, after);
  if (probing.change === null) names.push('everything under the portable transport');
  if (names.length === 0) return;
  throw new PopprobeError('reload_needs_restart', {
    expected: 'changes that a running agent can take',
    found: `changes of ${names.join(', ')}`,
    remedy: 'restart the agent: "systemctl restart popprobe-agent"',
  });
}
