/** Runs a lab until a signal or its time, shows what its collector holds, and verifies it against the truth. */

import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PopprobeError } from '../base/errors.ts';
import { MS_PER_S } from '../base/units.ts';
import { loadLabScenario } from '../config/lab-config.ts';
import type { LabScenario } from '../config/lab-scenario.ts';
import { Lab } from '../lab/lab.ts';
import { TUN_FILE } from '../linux/tun.ts';
import { AGENT_RUNTIME } from './agent-runtime.ts';
import type { LabOptions } from './lab.ts';
import { endReason, requireAccepted, watchMesh } from './mesh-watch.ts';
import { requireConfig } from './require-config.ts';

/** Verified without events and without a time to run, a lab has this many windows. */
const WINDOWS_DEFAULT = 6;
/** Windows after the last event, for what it has held up to be delivered. */
const WINDOWS_AFTER = 2;

/**
 * Runs the lab. With `verify` the process' exit status is 1 when anything differs.
 * Throws lab_unavailable, lab_running, port_taken, child_failed or nothing_accepted.
 */
export async function runLab(options: LabOptions): Promise<void> {
  const file = resolve(options.scenario ?? installed('config/lab/backbone.yaml'));
  const scenario = requireConfig(loadLabScenario(file));
  const missing = labMissing();
  if (missing !== null) throw unavailable(missing);
  const lab = new Lab({
    name: options.name,
    scenario,
    scenarioFile: file,
    folder: resolve(options.folder ?? installed('var/lab')),
    program: fileURLToPath(new URL('../main.js', import.meta.url)),
    agentRuntime: AGENT_RUNTIME,
    port: options.port,
  });
  const forMs = options.for ?? (options.verify === true ? verifiedMs(scenario) : undefined);
  await watch(lab, scenario, forMs);
  if (options.verify !== true) return;
  const { verifyLab } = await import('../lab/verify-lab.ts');
  const { renderVerification } = await import('./render-verify.ts');
  const verification = await verifyLab(lab.files, scenario);
  const lines = options.json === true ? [JSON.stringify(verification)] : renderVerification(verification);
  process.stdout.write(`${lines.join('\n')}\n`);
  if (verification.verdict !== 'ok') process.exitCode = 1;
}

/** Why a lab cannot run here, or null when it can. */
export function labMissing(): string | null {
  if (process.platform !== 'linux') return `the platform ${process.platform}`;
  if (process.getuid?.() !== 0) return 'a user who is not root';
  try {
    accessSync(TUN_FILE, constants.R_OK | constants.W_OK);
  } catch {
    return `no ${TUN_FILE}`;
  }
  return null;
}

async function watch(lab: Lab, scenario: LabScenario, forMs: number | undefined): Promise<void> {
  const { children, url } = lab;
  const { window_s: windowS, pops } = scenario.mesh;
  const ending = new AbortController();
  // Its time begins when every agent probes.
  const ended = endReason(children, undefined, ending.signal).finally(() => ending.abort());
  let newest = null;
  try {
    process.stdout.write(`popprobe lab: starting ${pops.length} PoPs of ${scenario.name} ...\n`);
    await Promise.race([lab.start(), ended]);
    if (forMs !== undefined) AbortSignal.timeout(forMs).addEventListener('abort', () => ending.abort());
    const title = `popprobe lab: ${pops.length} PoPs of ${scenario.name}, windows of ${windowS} s, collector on ${url}`;
    newest = await watchMesh({ url, children, title, windowS }, ending.signal);
  } finally {
    ending.abort();
    await lab.stop();
  }
  await Promise.race([ended, Promise.resolve()]);
  requireAccepted(newest, windowS, lab.files.log);
}

/** Until its last event is over and what that has held up is delivered. */
function verifiedMs({ events, mesh }: LabScenario): number {
  const ends = events.flatMap(({ startS, endS }) => (Number.isFinite(endS) ? [endS] : [startS + mesh.window_s]));
  const seconds = ends.length === 0 ? WINDOWS_DEFAULT * mesh.window_s : Math.max(...ends);
  return (seconds + WINDOWS_AFTER * mesh.window_s) * MS_PER_S;
}

/** A file or folder of this installation. */
function installed(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

function unavailable(found: string): PopprobeError {
  return new PopprobeError('lab_unavailable', {
    expected: `root on Linux with ${TUN_FILE}, for the lab's network`,
    found,
    remedy: 'run as root (in a container with --device /dev/net/tun and --cap-add NET_ADMIN,SYS_ADMIN)',
  });
}
