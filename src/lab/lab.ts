/** A running lab: namespaces, forwarder, collector, agents and the way to the collector's web side; and their removal. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PopprobeError } from '../base/errors.ts';
import type { LabScenario } from '../config/lab-scenario.ts';
import { tryLockFile } from '../linux/file-lock.ts';
import { Children, type Runtime } from './children.ts';
import { COLLECTOR_PORT, type LabFiles, labFiles, writeLabFiles } from './lab-files.ts';
import { connectHosts, createNamespaces, launcherOf, namespaceOf, removeNamespaces } from './lab-namespaces.ts';
import { untilAnswering } from './until-answering.ts';
import { WebRelay } from './web-relay.ts';

/** Whoever runs a lab holds a lock with its name here. */
const LOCKS = '/run/popprobe-lab';
const COLLECTOR = 'collector';
const FORWARDER = 'forwarder';

export interface LabParts {
  /** Tells labs on one machine apart: a name as of a PoP. */
  name: string;
  scenario: LabScenario;
  /** The scenario's own file, for the forwarder to read. */
  scenarioFile: string;
  /** Emptied at the start: keys, configurations, logs, spools, the collector's database and the truth. */
  folder: string;
  /** The built executable. */
  program: string;
  /** How agents are started. */
  agentRuntime: Runtime;
  /** TCP port on 127.0.0.1 for the collector's web side. */
  port: number;
}

export class Lab {
  readonly children: Children;
  readonly files: LabFiles;
  readonly url: string;
  readonly #parts: LabParts;
  readonly #relay: WebRelay;
  readonly #aborting = new AbortController();
  #starting: Promise<void> | null = null;
  #unlock: (() => void) | null = null;

  constructor(parts: LabParts) {
    this.#parts = parts;
    this.files = labFiles(parts.folder);
    this.children = new Children(parts.program, this.files.log);
    this.url = `http://127.0.0.1:${parts.port}`;
    this.#relay = new WebRelay(namespaceOf(parts.name, COLLECTOR), COLLECTOR_PORT);
  }

  /**
   * Resolves when every agent probes; the scenario's events begin then. What an earlier lab of this name has left is
   * removed first. Rejects with lab_running, lab_unavailable, port_taken or child_failed; `stop` is to be called then too.
   */
  start(): Promise<void> {
    this.#starting ??= this.#start(this.#aborting.signal);
    return this.#starting;
  }

  /** Ends every program, agents first so that they can deliver, and removes the network. */
  async stop(): Promise<void> {
    this.#aborting.abort();
    // Why it did not start, whoever started it was told.
    await this.#starting?.catch(() => undefined);
    await this.children.stop(this.#pops());
    await this.#relay.close();
    await this.children.stop([COLLECTOR]);
    await this.children.stop([FORWARDER]);
    if (this.#unlock === null) return;
    await removeNamespaces(this.#parts.name);
    this.#unlock();
    this.#unlock = null;
  }

  async #start(signal: AbortSignal): Promise<void> {
    const { name, scenario, port } = this.#parts;
    this.#unlock = lockLab(name);
    await removeNamespaces(name);
    await writeLabFiles(this.files, scenario);
    await createNamespaces(name, scenario.hosts);
    signal.throwIfAborted();
    await this.#startForwarder(signal);
    await this.#relay.listen(port);
    await this.#startCollector(signal);
    await this.#startAgents(signal);
    this.children.tell(FORWARDER, 'begin');
  }

  async #startForwarder(signal: AbortSignal): Promise<void> {
    const { name, scenario, scenarioFile } = this.#parts;
    const args = ['lab-forwarder', '--scenario', scenarioFile, '--lab', name, '--truth', this.files.truth];
    this.children.start(FORWARDER, args);
    await this.children.untilSaid([FORWARDER], 'forwarding', signal);
    await connectHosts(name, scenario.hosts);
  }

  async #startCollector(signal: AbortSignal): Promise<void> {
    const launcher = launcherOf(this.#parts.name, COLLECTOR);
    const args = [COLLECTOR, '--config', this.files.collectorConfig];
    this.children.start(COLLECTOR, args, { nodeFlags: [], environment: {}, launcher });
    await untilAnswering(this.url, join(this.files.log, 'collector.log'), signal);
    signal.throwIfAborted();
  }

  async #startAgents(signal: AbortSignal): Promise<void> {
    const { name, agentRuntime } = this.#parts;
    const pops = this.#pops();
    const probing = this.children.untilSaid(pops, 'probing', signal);
    for (const pop of pops) {
      const runtime = { ...agentRuntime, launcher: launcherOf(name, pop) };
      this.children.start(pop, ['agent', '--config', this.files.agentConfig(pop)], runtime);
    }
    await probing;
  }

  #pops(): string[] {
    return this.#parts.scenario.mesh.pops.map((pop) => pop.name);
  }
}

function lockLab(name: string): () => void {
  mkdirSync(LOCKS, { recursive: true });
  const unlock = tryLockFile(join(LOCKS, `${name}.lock`));
  if (unlock !== null) return unlock;
  throw new PopprobeError('lab_running', {
    expected: `no other lab named ${name} on this machine`,
    found: 'one that is running',
    remedy: 'end it, or give this one another name with --name',
  });
}
