/** The parent's hold on an engine process in a namespace. */

import type { ProbePlan, ReflectorPlan } from '../src/probe/plan.ts';
import type { EngineAnswer, EngineReport, EngineRequest } from './engine-process.ts';
import { FAR, NEAR } from './namespaces.ts';
import { nextMessage, type RunningProgram, startOwn } from './processes.ts';

export class EngineProcess {
  readonly pid: number;
  readonly #program: RunningProgram;

  private constructor(program: RunningProgram) {
    this.#program = program;
    this.pid = program.pid;
  }

  /** Starts probing at the near end; resolves when its sockets are open. */
  static async probe(plan: ProbePlan, samples = false): Promise<EngineProcess> {
    const engine = new EngineProcess(startOwn(NEAR, './engine-process.js'));
    const answer = await engine.#ask({ type: 'probe', plan, samples });
    const sockets = answer.type === 'ready' ? answer.sockets : [];
    const withoutStamps = sockets.find((socket) => !socket.startsWith('kernel '));
    if (withoutStamps !== undefined)
      throw new Error(`the engine got a ${withoutStamps} socket instead of the kernel's`);
    return engine;
  }

  /** Starts reflecting at the far end. */
  static async reflect(plan: ReflectorPlan): Promise<EngineProcess> {
    const engine = new EngineProcess(startOwn(FAR, './engine-process.js'));
    await engine.#ask({ type: 'reflect', plan });
    return engine;
  }

  /** What has become of the probes so far. */
  report(): Promise<EngineReport> {
    return this.#report({ type: 'report' });
  }

  /** Waits for the outcome of every probe that has fallen due, and ends the process. */
  async finish(): Promise<EngineReport> {
    const report = await this.#report({ type: 'finish' });
    await this.#program.ended;
    return report;
  }

  /** Ends the process at once. */
  async kill(): Promise<void> {
    await this.#program.stop('SIGKILL');
  }

  async #report(request: EngineRequest): Promise<EngineReport> {
    const answer = await this.#ask(request);
    if (answer.type !== 'report') throw new Error(`the engine process answered ${answer.type} to ${request.type}`);
    return answer.report;
  }

  async #ask(request: EngineRequest): Promise<EngineAnswer> {
    const answer = nextMessage<EngineAnswer>(this.#program);
    this.#program.child.send(request);
    return answer;
  }
}
