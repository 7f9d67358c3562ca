/** The course of an agent: what its configuration has it measure, and who reads that out of the ring. */

import type { Clock } from '../base/clock.ts';
import { PopprobeError } from '../base/errors.ts';
import type { AgentConfig } from '../config/agent-config.ts';
import type { MeshPop } from '../config/mesh-config.ts';
import type { ClockState } from '../linux/clock-state.ts';
import type { ProbePlan } from '../probe/plan.ts';
import type { Probing, Reflecting } from '../probe/probing.ts';
import { PairWatch } from './pair-watch.ts';
import { planProbes } from './plan.ts';
import { nameSessions, planReflector, type ReflectorCourse } from './plan-reflector.ts';
import { loadStampKeys } from './stamp-keys.ts';
import { type Identity, Summarizer } from './summarize.ts';

/** What a configuration asks for. */
export interface PlannedCourse {
  readonly config: AgentConfig;
  readonly self: MeshPop;
  readonly plan: ProbePlan;
  readonly reflector: ReflectorCourse;
}

/** A course that is taken. Another one takes its place field by field. */
export interface Course extends PlannedCourse {
  readonly probing: Probing;
  readonly reflecting: Reflecting;
  readonly summarizer: Summarizer;
  readonly pairs: PairWatch;
}

/** Where the course that is taken now is found. */
export interface HeldCourse {
  course: Course;
}

/** What does not depend on the course. */
export interface CourseParts {
  /** Names the run in ICMP probes. */
  session: number;
  clock: Clock;
  clockState: () => ClockState;
  /** Of this run, with the digest of a configuration. */
  identity: (config: AgentConfig) => Identity;
}

/**
 * Makes the plans of a configuration, for which the keys of its STAMP sessions are read.
 * Rejects with config_conflict, or the errors of `loadStampKeys`.
 */
export async function planCourse(
  config: AgentConfig,
  { session }: Pick<CourseParts, 'session'>,
): Promise<PlannedCourse> {
  const { mesh, tickMs, stampKeys, reflector } = config;
  const self = ownPop(config);
  const keys = await loadStampKeys(stampKeys, mesh, self);
  return {
    config,
    self,
    plan: planProbes(mesh, self, tickMs, session, keys),
    reflector: { plan: planReflector(mesh, self, reflector, keys), names: nameSessions(mesh, self) },
  };
}

/** Puts those who read to what measures. `before` is the course until now, with the numbers of the paths that go on. */
export function takeCourse(
  planned: PlannedCourse,
  { probing, reflecting }: Pick<Course, 'probing' | 'reflecting'>,
  { clock, clockState, identity }: CourseParts,
  before?: { course: Course; kept: readonly number[] },
): Course {
  const { config, plan, reflector } = planned;
  return {
    ...planned,
    probing,
    reflecting,
    summarizer: new Summarizer({
      identity: identity(config),
      plan,
      sessions: reflector.names,
      probing,
      reflecting,
      clockState,
      ...(before && { before: { summarizer: before.course.summarizer, kept: before.kept } }),
    }),
    pairs: new PairWatch(plan, probing.ring, clock, before && { pairs: before.course.pairs, kept: before.kept }),
  };
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
