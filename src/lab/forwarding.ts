/** The emulator's process: starts the forwarding thread and writes down, a second at a time, what it has done. */

import type { Logger } from 'pino';
import { builtFile } from '../base/built-file.ts';
import { MS_PER_S } from '../base/units.ts';
import type { LabScenario } from '../config/lab-scenario.ts';
import { errnoName } from '../linux/errno.ts';
import { WorkerHandle } from '../probe/worker-handle.ts';
import type { ForwarderQuestion, ForwarderReady, ForwarderWorkerData } from './forwarder-worker.ts';
import { namespaceOf } from './lab-namespaces.ts';
import { LedgerReader } from './ledger-reader.ts';
import { TruthWriter } from './truth-file.ts';
import { TruthLedger } from './truth-ledger.ts';

/** Every probe of a second is settled this much later: Tmax, half a second, and what a busy thread takes. */
const SETTLED_AFTER_S = 5;

export interface ForwardingParts {
  scenario: LabScenario;
  /** Name of the lab, whose namespaces are there. */
  lab: string;
  /** Where the truth is written. */
  truth: string;
  log: Logger;
}

export interface Forwarding {
  /** The scenario's events begin now. */
  begin(): Promise<void>;
  /** Ends the thread and writes the rest of the truth. */
  stop(): Promise<void>;
}

/**
 * Resolves when every host has its TUN device. `onFailure` hears of a thread that dies later, and of a truth file that
 * cannot be written: without it the lab is worth nothing.
 */
export async function startForwarding(
  { scenario, lab, truth, log }: ForwardingParts,
  onFailure: (error: unknown) => void,
): Promise<Forwarding> {
  const hosts = scenario.hosts.map(({ name }) => name);
  const ledger = TruthLedger.create(hosts.length);
  const reader = new LedgerReader(ledger.buffer);
  const { name, seed, mesh } = scenario;
  const writer = new TruthWriter(truth, { schema: 'popprobe.truth/1', scenario: name, seed, hosts });
  const namespaces = hosts.map((host) => namespaceOf(lab, host));
  const data: ForwarderWorkerData = { scenario, namespaces, ledger: ledger.buffer };
  const file = builtFile(import.meta.url, 'forwarder-worker');
  const handle = await WorkerHandle.start<ForwarderReady, ForwarderQuestion>(file, data, onFailure);
  const { realTimeErrno } = handle.ready;
  if (realTimeErrno !== 0) {
    log.warn({ errno: realTimeErrno }, `no real-time scheduling (${errnoName(realTimeErrno)}): delays are less exact`);
  }
  const lagS = Math.ceil(mesh.tmax_ms / MS_PER_S) + SETTLED_AFTER_S;
  let written = nowS();
  const writeUntil = (second: number): void => {
    for (; written < second; written += 1) writer.append(reader.rows(written, hosts), reader.error(written));
  };
  const timer = setInterval(() => {
    try {
      writeUntil(nowS() - lagS);
    } catch (error) {
      onFailure(error);
    }
  }, MS_PER_S);
  return {
    async begin() {
      await handle.ask('begin');
    },
    async stop() {
      clearInterval(timer);
      await handle.stop();
      writeUntil(nowS() + 1);
      writer.close();
      const { stale, overwritten, untold } = reader;
      const gaps = stale + overwritten + untold;
      if (gaps > 0) log.warn({ stale, overwritten, untold }, 'the truth has gaps: this host was too busy');
    },
  };
}

/** The second that now is, as the thread counts them. */
function nowS(): number {
  return Math.floor((performance.timeOrigin + performance.now()) / MS_PER_S);
}
