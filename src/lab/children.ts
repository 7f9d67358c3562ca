/** Child processes of a mesh: their logs go to files, their warnings to whoever listens, their end is awaited. */

import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, on, once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { PopprobeError } from '../base/errors.ts';

/** How long a child may take to end after SIGTERM before it is killed. */
const STOP_GRACE_MS = 8000;
const WARN_LEVEL = 40;
const NOTICES_MAX = 5;

/** Flags of Node.js and environment that a child is started with. */
export interface Runtime {
  nodeFlags: readonly string[];
  environment: Readonly<Record<string, string>>;
  /** The beginning of a command line that runs a program somewhere else, as in a network namespace. */
  launcher?: readonly string[];
}

interface Child {
  name: string;
  process: ChildProcess;
  /** It has ended, and all that it wrote has been read. */
  closed: Promise<unknown>;
}

export class Children extends EventEmitter<{ died: [PopprobeError]; said: [name: string, message: string] }> {
  readonly #program: string;
  readonly #logFolder: string;
  readonly #stopGraceMs: number;
  readonly #children: Child[] = [];
  /** Warning, and the children that gave it. */
  readonly #warnings = new Map<string, Set<string>>();
  #stopping = false;

  /** `program` is the built executable; each child's log is written to `logFolder/<name>.log`. */
  constructor(program: string, logFolder: string, stopGraceMs = STOP_GRACE_MS) {
    super();
    this.#program = program;
    this.#logFolder = logFolder;
    this.#stopGraceMs = stopGraceMs;
  }

  /** The latest warnings of the children, oldest first: one line each, however many children gave it. */
  get notices(): readonly string[] {
    return [...this.#warnings].map(([warning, names]) => `${[...names].join(', ')}: ${warning}`);
  }

  /** Starts `popprobe <args>`. The open IPC channel tells the child when this process dies, however it dies. */
  start(name: string, args: readonly string[], runtime: Runtime = { nodeFlags: [], environment: {} }): void {
    const { launcher = [], nodeFlags } = runtime;
    const [command = '', ...rest] = [...launcher, process.execPath, ...nodeFlags, this.#program, ...args];
    const child = spawn(command, rest, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...runtime.environment },
    });
    const log = createWriteStream(join(this.#logFolder, `${name}.log`));
    // A full disk costs the log, never the mesh.
    log.on('error', (error) => this.#warn(name, `its log cannot be written: ${error.message}`));
    let lastWords = '';
    child.on('error', (error) => {
      lastWords = error.message;
    });
    child.stderr?.on('data', (data: Buffer) => {
      log.write(data);
      lastWords = String(data).trim();
    });
    if (child.stdout) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        log.write(`${line}\n`);
        this.#notice(name, line);
      });
    }
    // 'close' and not 'exit': only then has all that it wrote been read.
    child.once('close', (code, signal) => {
      log.end();
      if (!this.#stopping) this.emit('died', diedEarly(name, code ?? signal, lastWords, log.path));
    });
    this.#children.push({ name, process: child, closed: once(child, 'close') });
  }

  /** Sends a child a message. */
  tell(name: string, message: string): void {
    this.#children.find((child) => child.name === name)?.process.send(message);
  }

  /**
   * Resolves when each of these children has logged a line with this message from now on. Rejects when any child dies
   * before, or with the signal.
   */
  async untilSaid(names: readonly string[], message: string, signal: AbortSignal): Promise<void> {
    const silent = new Set(names);
    const died = once(this, 'died', { signal }).then(([error]) => Promise.reject(error as PopprobeError));
    const heard = (async () => {
      for await (const [name, said] of on(this, 'said', { signal }) as AsyncIterable<[string, string]>) {
        if (said === message) silent.delete(name);
        if (silent.size === 0) return;
      }
    })();
    await Promise.race([died, heard]);
  }

  /** Ends these children, all of them by default, and waits for them; what dies from now on is no news. */
  async stop(names?: readonly string[]): Promise<void> {
    this.#stopping = true;
    const ending = this.#children.filter(({ name }) => names?.includes(name) ?? true);
    for (const child of ending) child.process.kill('SIGTERM');
    const all = Promise.all(ending.map((child) => child.closed));
    const inTime = await Promise.race([all.then(() => true), sleep(this.#stopGraceMs, false, { ref: false })]);
    if (!inTime) for (const child of ending) child.process.kill('SIGKILL');
    await all;
  }

  #notice(name: string, line: string): void {
    const entry = parseLogLine(line);
    if (!entry) return;
    this.emit('said', name, entry.msg);
    if (entry.level >= WARN_LEVEL) this.#warn(name, entry.msg);
  }

  #warn(name: string, warning: string): void {
    const names = this.#warnings.get(warning) ?? new Set();
    this.#warnings.set(warning, names.add(name));
    const [oldest] = this.#warnings.keys();
    if (oldest !== undefined && this.#warnings.size > NOTICES_MAX) this.#warnings.delete(oldest);
  }
}

function parseLogLine(line: string): { level: number; msg: string } | null {
  try {
    const entry = JSON.parse(line) as { level?: unknown; msg?: unknown };
    return typeof entry.level === 'number' && typeof entry.msg === 'string'
      ? { level: entry.level, msg: entry.msg }
      : null;
  } catch {
    // Not a log line of ours: it stays in the child's log file.
    return null;
  }
}

function diedEarly(name: string, status: unknown, lastWords: string, log: string | Buffer): PopprobeError {
  return new PopprobeError('child_failed', {
    expected: `${name} to keep running`,
    found: `it ended with ${String(status)}${lastWords ? `: ${lastWords}` : ''}`,
    remedy: `read ${String(log)}`,
  });
}
