/** The parent's hold on a process of the product inside a namespace. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { EngineCounter, ReflectorCounter } from '../../src/probe/health.ts';
import type { ProbePlan, ReflectorPlan } from '../../src/probe/plan.ts';
import type { Namespaces } from './namespaces.ts';
import { nowNs } from './now.ts';
import { Verdict } from './verdict.ts';

const PROGRAM = fileURLToPath(new URL('./product-process.js', import.meta.url));
/** For what must come, on a machine that does much else. */
const DEADLINE_MS = 30_000;
const POLL_MS = 5;

interface Answer<Counter extends string> {
  counters: Record<Counter, number>;
  ring: Uint8Array | null;
}

class ProductProcess<Counter extends string> {
  readonly #child: ChildProcess;

  protected constructor(namespaces: Namespaces, role: string) {
    const args = ['netns', 'exec', namespaces.name(role), process.execPath, PROGRAM];
    this.#child = spawn('ip', args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' });
  }

  async counters(): Promise<Record<Counter, number>> {
    return (await this.ask({ type: 'counters' })).counters;
  }

  /** Stops the whole process, as a suspended or starved host would; resolves once the kernel has done so. */
  async freeze(): Promise<void> {
    this.#child.kill('SIGSTOP');
    const status = `/proc/${this.#child.pid}/status`;
    while (!/^State:\tT/m.test(await readFile(status, 'utf8'))) await sleep(1);
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Ends the process at once. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  protected async ask(request: object): Promise<Answer<Counter>> {
    const controller = new AbortController();
    const { signal } = controller;
    const ended = once(this.#child, 'exit', { signal }).then(([code]) => {
      throw new Error(`the process of the product ended with ${code}`);
    });
    ended.catch(() => undefined);
    const answer = once(this.#child, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) });
    this.#child.send(request);
    const [message] = (await Promise.race([answer, ended])) as [Answer<Counter>];
    controller.abort();
    return message;
  }
}

/** A PoP's probing thread. */
export class Prober extends ProductProcess<EngineCounter> {
  readonly #plan: ProbePlan;

  private constructor(namespaces: Namespaces, role: string, plan: ProbePlan) {
    super(namespaces, role);
    this.#plan = plan;
  }

  /** Resolves when its sockets are open. */
  static async start(namespaces: Namespaces, role: string, plan: ProbePlan): Promise<Prober> {
    const prober = new Prober(namespaces, role, plan);
    await prober.ask({ type: 'probe', plan });
    return prober;
  }

  /** What has become of every probe that fell due until `untilNs` (now), as far as it is known. */
  async verdict(untilNs = nowNs()): Promise<Verdict> {
    const { ring, counters } = await this.ask({ type: 'ring' });
    if (ring === null) throw new Error('a ring expected');
    const shared = new SharedArrayBuffer(ring.length);
    new Uint8Array(shared).set(ring);
    return Verdict.ofShared(this.#plan, shared, counters, untilNs);
  }

  /** Asks until the verdict on what fell due until `untilNs` (or so far) is this. */
  async until(condition: (verdict: Verdict) => boolean, untilNs?: number): Promise<Verdict> {
    const deadlineNs = nowNs() + DEADLINE_MS * 1e6;
    for (;;) {
      const verdict = await this.verdict(untilNs);
      if (condition(verdict)) return verdict;
      if (nowNs() > deadlineNs) throw new Error(`not in time: ${JSON.stringify(verdict.all())}`);
      await sleep(POLL_MS);
    }
  }

  /** The verdict on all that has fallen due so far, once nothing about it can change any more. */
  settled(): Promise<Verdict> {
    return this.until((verdict) => verdict.isFinal, nowNs());
  }
}

/** A PoP's reflecting thread. */
export class Reflector extends ProductProcess<ReflectorCounter> {
  /** Resolves when its sockets are open. */
  static async start(namespaces: Namespaces, role: string, plan: ReflectorPlan): Promise<Reflector> {
    const reflector = new Reflector(namespaces, role);
    await reflector.ask({ type: 'reflect', plan });
    return reflector;
  }
}
