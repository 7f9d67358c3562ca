/** The forwarding thread: opens a TUN device in every namespace and moves packets until told to stop. */

import { workerData } from 'node:worker_threads';
import { LIMITS } from '../base/limits.ts';
import { NS_PER_MS } from '../base/units.ts';
import type { LabScenario } from '../config/lab-scenario.ts';
import { libc } from '../linux/libc.ts';
import { inNetNamespace } from '../linux/net-namespace.ts';
import { Poller } from '../linux/poller.ts';
import { runInRealTime } from '../linux/scheduling.ts';
import { openTun } from '../linux/tun.ts';
import { openOrReport, runUntilStopped } from '../probe/worker-body.ts';
import { Forwarder } from './forwarder.ts';
import { HostTable } from './host-table.ts';
import { DirectionModel } from './impairment.ts';
import { DEVICE } from './lab-namespaces.ts';
import { PacketStore } from './packet-store.ts';
import { ProbeMatcher } from './probe-matcher.ts';
import { Random } from './random.ts';
import { Timeline } from './timeline.ts';
import { TruthLedger } from './truth-ledger.ts';

/** What the main thread hands over. */
export interface ForwarderWorkerData {
  scenario: LabScenario;
  /** Names of the namespaces, in the order of the scenario's hosts. */
  namespaces: readonly string[];
  ledger: SharedArrayBuffer;
}

/** What the main thread asks for: that the scenario's events begin. */
export type ForwarderQuestion = 'begin';

/** What the thread says when it is asked, and when it starts. */
export interface ForwarderReady {
  /** errno with which the kernel refused real-time scheduling, 0 when it did not. */
  realTimeErrno: number;
}

interface State {
  forwarder: Forwarder;
  poller: Poller;
  matcher: ProbeMatcher;
  models: readonly DirectionModel[];
  timeline: Timeline;
  ready: ForwarderReady;
}

const data = workerData as ForwarderWorkerData & { control: Int32Array };

/** The same clock for every decision: what performance counts from is an instant of CLOCK_MONOTONIC. */
function nowNs(): number {
  return performance.now() * NS_PER_MS;
}

function open(): State {
  const { scenario, namespaces } = data;
  const tuns = namespaces.map((name) => inNetNamespace(name, () => openTun(DEVICE)));
  const models = scenario.directions.map((direction) => new DirectionModel(direction, scenario.seed));
  const ledger = TruthLedger.open(data.ledger);
  const matcher = new ProbeMatcher(ledger, scenario.mesh.tmax_ms * NS_PER_MS);
  const forwarder = new Forwarder({
    scenario,
    tuns,
    hosts: new HostTable(scenario.hosts),
    models,
    ledger,
    matcher,
    store: new PacketStore(LIMITS.labPacketsMax),
    random: new Random(scenario.seed),
    libc: libc(),
    nowNs,
    wallOffsetNs: performance.timeOrigin * NS_PER_MS,
  });
  const poller = new Poller(tuns);
  const ready = { realTimeErrno: runInRealTime() };
  return { forwarder, poller, matcher, models, timeline: new Timeline(scenario), ready };
}

const state = openOrReport(open, ({ ready }) => ready);
if (state) {
  const { forwarder, poller, matcher, models, timeline, ready } = state;
  let beganNs = Number.POSITIVE_INFINITY;
  let changeNs = Number.POSITIVE_INFINITY;
  const advance = (): void => {
    changeNs = beganNs + timeline.advance(nowNs() - beganNs, models);
  };
  const turn = (): void => {
    const departureNs = forwarder.depart();
    const now = nowNs();
    if (now >= changeNs) advance();
    matcher.settle(now);
    const untilNs = Math.min(departureNs, changeNs, now + LIMITS.sleepNsMax);
    if (!poller.waitNs(Math.max(0, Math.round(untilNs - now)))) return;
    for (let host = 0; host < data.namespaces.length; host += 1) if (poller.isReadable(host)) forwarder.receive(host);
  };
  runUntilStopped(data.control, turn, () => {
    beganNs = nowNs();
    advance();
    return ready;
  });
  // Nothing is waited for any more: what has no answer yet gets none.
  while (matcher.open > 0) matcher.settle(Number.POSITIVE_INFINITY);
}
