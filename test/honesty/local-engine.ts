/** An engine in this process, over real sockets on loopback, that a test ticks: as the probing thread would, or late. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../src/base/clock.ts';
import type { SocketOptions } from '../../src/linux/timestamping-socket.ts';
import { SystemClock } from '../../src/linux/system-clock.ts';
import { Engine } from '../../src/probe/engine.ts';
import { engineCounters } from '../../src/probe/health.ts';
import { openKernelTransport } from '../../src/probe/kernel-transport.ts';
import type { ProbePlan } from '../../src/probe/plan.ts';
import { sharedEstimate } from '../../src/probe/probing.ts';
import type { Transport } from '../../src/probe/transport.ts';
import { createRing, PATH_WORD, type RingViews, tableIndex } from '../../src/ring/layout.ts';
import { RingReader } from '../../src/ring/reader.ts';
import { RingWriter } from '../../src/ring/writer.ts';
import { HISTOGRAM_BUCKETS } from '../../src/stats/histogram.ts';
import { nowNs } from './now.ts';
import { Verdict } from './verdict.ts';

const DEADLINE_MS = 20_000;

export interface LocalParts {
  clock?: Clock;
  /** Puts itself between the engine and the kernel. */
  between?: (kernel: Transport) => Transport;
  socket?: Partial<Pick<SocketOptions, 'txStamps' | 'receiveBufferBytes'>>;
  /** Number of each path's first probe. */
  firstSequence?: number;
}

export class LocalEngine {
  readonly ring: RingReader;
  readonly #plan: ProbePlan;
  readonly #engine: Engine;
  readonly #counters = engineCounters();
  readonly #views: RingViews;

  constructor(plan: ProbePlan, { clock, between = (kernel) => kernel, socket, firstSequence = 0 }: LocalParts = {}) {
    this.#plan = plan;
    this.#views = createRing(plan.paths.map((path) => path.capacity));
    this.ring = new RingReader(this.#views);
    for (const path of plan.paths.keys()) {
      this.#views.table[tableIndex(path, PATH_WORD.head)] = firstSequence | 0;
      this.ring.seal(path, firstSequence);
    }
    const transports = plan.sockets.map(({ kind, address, port, dscp, payloadBytes }) => {
      const kinds = kind === 'icmp' ? (['icmp_raw'] as const) : (['udp'] as const);
      const kernel = openKernelTransport(kinds, { address, port, dscp, payloadBytes, txStamps: true, ...socket });
      if ('refusals' in kernel) throw new Error(`no ${kind} socket: errno ${kernel.refusals[0]?.errno}`);
      return between(kernel);
    });
    this.#engine = new Engine({
      plan,
      ring: new RingWriter(this.#views),
      clock: clock ?? new SystemClock(),
      transports,
      counters: this.#counters,
      lateness: new Uint32Array(HISTOGRAM_BUCKETS),
      estimate: sharedEstimate(),
      random: Math.random,
    });
  }

  /** One tick; returns when the engine wants the next one, ns on CLOCK_MONOTONIC. */
  tick(): number {
    return this.#engine.tick();
  }

  /** Ticks until this holds; in between, this process does what else it has to do. */
  async tickUntil(condition: () => boolean): Promise<void> {
    const deadlineNs = nowNs() + DEADLINE_MS * 1e6;
    while (!condition()) {
      const wakeNs = this.tick();
      if (nowNs() > deadlineNs) throw new Error(`not in time: ${JSON.stringify(this.verdict().all())}`);
      await sleep(Math.max(0, wakeNs - nowNs()) / 1e6);
    }
  }

  /** Ticks until nothing can change any more about the probes that have fallen due so far. */
  async settle(): Promise<Verdict> {
    const untilNs = nowNs();
    const endNs = untilNs + this.#plan.tmaxNs + 2 * this.#plan.tickNs;
    await this.tickUntil(() => this.ring.horizonNs() > endNs);
    return this.verdict(untilNs);
  }

  /** How many probes of all paths have fallen due. */
  due(firstSequence = 0): number {
    return this.#plan.paths.reduce((sum, _, path) => sum + ((this.ring.head(path) - firstSequence) >>> 0), 0);
  }

  /** What a main thread would say now. */
  verdict(untilNs = nowNs()): Verdict {
    return Verdict.ofRunning(this.#plan, this.#views, this.#counters, untilNs);
  }

  close(): void {
    this.#engine.close();
  }
}
