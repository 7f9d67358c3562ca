/** A mesh of real programs on loopback: built executable, own folder, own addresses and ports, keys made for the test. */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { EventList } from '../../src/collector/event-list.ts';
import type { Mesh } from '../../src/collector/mesh.ts';
import type { DocumentList } from '../../src/protocol/document-list.ts';
import { freePort } from './free-port.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const DEADLINE_MS = 25_000;

const WINDOW_S = 5;

/** A running program and the log lines it has written. */
export interface Program {
  process: ChildProcess;
  lines: Record<string, unknown>[];
  /** Resolves with the first log line, past or future, whose message is this; of those from number `from` on. */
  logged(message: string, from?: number): Promise<Record<string, unknown>>;
  /** Numbers of the documents that an agent has said it sealed, windows and events. */
  sealed(): number[];
  /** Ends it with a signal and waits until it has, and all that it wrote is in `lines`. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

export class MeshRig {
  readonly folder: string;
  readonly collectorPort: number;
  readonly #subnet: string;
  readonly #programs: Program[] = [];

  private constructor(folder: string, collectorPort: number, subnet: string) {
    this.folder = folder;
    this.collectorPort = collectorPort;
    this.#subnet = subnet;
  }

  /** Writes keys and configurations for these PoPs, on 127.0.SUBNET.1 and up. */
  static async create(pops: readonly string[], subnet: number): Promise<MeshRig> {
    const folder = await mkdtemp(join(tmpdir(), 'popprobe-e2e-'));
    const rig = new MeshRig(folder, await freePort(), `127.0.${subnet}`);
    for (const pop of pops) await rig.run(['keygen', pop, '--out', join(folder, 'keys')]);
    await rig.write('mesh.yaml', rig.meshYaml(pops));
    await rig.write('collector.yaml', rig.collectorYaml(pops));
    for (const pop of pops) await rig.write(`${pop}.yaml`, rig.agentYaml(pop));
    return rig;
  }

  get url(): string {
    return `http://127.0.0.1:${this.collectorPort}`;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(this.path(name), text);
  }

  async read(name: string): Promise<Buffer> {
    return readFile(this.path(name));
  }

  /** Runs a command of popprobe to its end; rejects when its exit status is not 0. */
  async run(args: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...args]);
    return stdout;
  }

  startCollector(): Promise<Program> {
    return this.#start(['collector', '--config', this.path('collector.yaml')], 'collector listening');
  }

  /** `launcher` is a command line that starts the program, as in a network namespace; `flags` are for Node.js itself. */
  startAgent(pop: string, launcher: readonly string[] = [], flags: readonly string[] = []): Promise<Program> {
    return this.#start(['agent', '--config', this.path(`${pop}.yaml`)], 'probing', launcher, flags);
  }

  async mesh(): Promise<Mesh> {
    return (await this.#ask('/api/v1/mesh')) as Mesh;
  }

  /** Numbers of the summaries that the collector has of a PoP, in the order of the chain. */
  async summaries(pop: string): Promise<number[]> {
    const { documents } = (await this.#ask(`/api/v1/documents/${pop}`)) as DocumentList;
    return documents.filter(({ kind }) => kind === 'summary').map(({ sequence }) => sequence);
  }

  /** The events that the collector has of a PoP, by time. */
  async events(pop: string): Promise<EventList['events']> {
    return ((await this.#ask(`/api/v1/events?pop=${pop}`)) as EventList).events;
  }

  /** Asks the collector until it has so many summaries of every PoP and its mesh satisfies the condition. */
  async meshAfter(windows: number, condition: (mesh: Mesh) => boolean = () => true): Promise<Mesh> {
    return this.meshWhere(async (mesh) => {
      const summaries = await Promise.all(mesh.pops.map(({ pop }) => this.summaries(pop)));
      return summaries.every(({ length }) => length >= windows) && condition(mesh);
    });
  }

  /** Asks the collector until its mesh satisfies the condition. */
  async meshWhere(condition: (mesh: Mesh) => boolean | Promise<boolean>): Promise<Mesh> {
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      const mesh = await this.mesh();
      if (await condition(mesh)) return mesh;
      if (Date.now() > deadline) throw new Error(`the mesh did not get there: ${JSON.stringify(mesh.pops)}`);
      await sleep(100);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.end('SIGKILL')));
    await rm(this.folder, { recursive: true, force: true });
  }

  async #ask(path: string): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return await response.json();
  }

  async #start(
    args: readonly string[],
    ready: string,
    launcher: readonly string[] = [],
    flags: readonly string[] = [],
  ): Promise<Program> {
    const [command = '', ...rest] = [...launcher, process.execPath, ...flags, PROGRAM, ...args];
    const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    const lines: Record<string, unknown>[] = [];
    const errors: string[] = [];
    const reader = createInterface({ input: child.stdout });
    reader.on('line', (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
    child.stderr.on('data', (data: Buffer) => errors.push(String(data)));
    const closed = once(child, 'close');
    const program: Program = {
      process: child,
      lines,
      async logged(message, from = 0) {
        const deadline = AbortSignal.timeout(DEADLINE_MS);
        for (;;) {
          const line = lines.slice(from).find(({ msg }) => msg === message);
          if (line) return line;
          // Killed by a signal, it has no exit code.
          const ended = child.exitCode ?? child.signalCode;
          if (ended !== null) throw new Error(`ended with ${ended}: ${errors.join('')}`);
          await Promise.race([once(reader, 'line', { signal: deadline }), closed]);
        }
      },
      sealed: () => lines.flatMap(({ msg, sequence }) => (String(msg).endsWith(' sealed') ? [Number(sequence)] : [])),
      async end(signal) {
        if (child.exitCode === null && child.signalCode === null) child.kill(signal);
        await closed;
        return child.exitCode;
      },
    };
    this.#programs.push(program);
    await program.logged(ready);
    return program;
  }

  meshYaml(pops: readonly string[]): string {
    const entries = pops.map(
      (pop, index) => `  - { name: ${pop}, id: ${index + 1}, ipv4: ${this.#subnet}.${index + 1} }`,
    );
    return `schema: popprobe.mesh/1
name: e2e
window_s: ${WINDOW_S}
stamp_port: 8620
pops:
${entries.join('\n')}
probes:
  - { name: icmp, kind: icmp, interval_ms: 200 }
  - { name: stamp, kind: stamp, interval_ms: 100, flows: 2 }
`;
  }

  agentYaml(pop: string): string {
    return `schema: popprobe.agent/1
pop: ${pop}
mesh: mesh.yaml
key_file: keys/${pop}.key
collector: { url: '${this.url}' }
spool: { directory: spool/${pop} }
status_socket: ${pop}.sock
`;
  }

  collectorYaml(pops: readonly string[]): string {
    const entries = pops.map((pop) => `  - { name: ${pop}, keys: [{ file: keys/${pop}.pub.json }] }`);
    return `schema: popprobe.collector/1
listen: { host: 127.0.0.1, port: ${this.collectorPort} }
store: { sqlite_file: collector.db }
pops:
${entries.join('\n')}
`;
  }
}
