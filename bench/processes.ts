/** Starts the child processes of the benchmarks and makes sure that none outlives them. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { AGENT_RUNTIME } from '../src/cli/agent-runtime.ts';

/** A program that runs in a network namespace, or in ours when `namespace` is null. */
export interface Program {
  namespace: string | null;
  command: string;
  args: readonly string[];
  /** Added to our own environment. */
  environment?: Readonly<Record<string, string>>;
}

/** What a program wrote and how it ended. */
export interface Ended {
  stdout: string;
  stderr: string;
  code: number | null;
}

const running = new Set<ChildProcess>();

/** A running program; `pid` is the program's own, since `ip netns exec` replaces itself by it. */
export class RunningProgram {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';

  constructor(child: ChildProcess) {
    this.child = child;
    this.pid = child.pid ?? 0;
    child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.ended = once(child, 'close').then(() => {
      running.delete(child);
      return { stdout: this.stdout, stderr: this.stderr, code: child.exitCode };
    });
  }

  /** Resolves when what the program has written to stdout or stderr matches; rejects when it ends without. */
  async wrote(pattern: RegExp): Promise<void> {
    const seen = (): boolean => pattern.test(this.stdout) || pattern.test(this.stderr);
    while (!seen()) {
      const more = [this.child.stdout, this.child.stderr].flatMap((stream) => (stream ? [once(stream, 'data')] : []));
      const ended = this.ended.then(({ stderr, stdout }) => {
        if (seen()) return;
        throw new Error(`${this.child.spawnargs.join(' ').slice(0, 120)} ended: ${stderr || stdout}`);
      });
      await Promise.race([...more, ended]);
    }
  }

  /** Asks the program to end and waits for what it has to say. */
  stop(signal: NodeJS.Signals): Promise<Ended> {
    this.child.kill(signal);
    return this.ended;
  }
}

export function start({ namespace, command, args, environment }: Program, ipc = false): RunningProgram {
  const [file = '', ...rest] = namespace === null ? [command, ...args] : netnsExec(namespace, command, args);
  const child = spawn(file, rest, {
    stdio: ipc ? ['ignore', 'inherit', 'inherit', 'ipc'] : ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
    // Plans carry addresses as typed arrays, which JSON does not.
    serialization: 'advanced',
  });
  running.add(child);
  return new RunningProgram(child);
}

/** Starts one of our own child programs (a file beside this one), as an agent is started, with a channel for messages. */
export function startOwn(namespace: string | null, file: string): RunningProgram {
  const program = fileURLToPath(new URL(file, import.meta.url));
  return start({ namespace, command: process.execPath, args: [...AGENT_RUNTIME.nodeFlags, program] }, true);
}

/** The next message of a child; rejects when it ends instead. */
export async function nextMessage<Message>(program: RunningProgram): Promise<Message> {
  const ended = program.ended.then(({ code }) => {
    throw new Error(`a child process ended with status ${code} instead of answering`);
  });
  const [message] = (await Promise.race([once(program.child, 'message'), ended])) as [Message];
  return message;
}

/** For the end of the run, however it comes. */
export function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

function netnsExec(namespace: string, command: string, args: readonly string[]): string[] {
  return ['ip', 'netns', 'exec', namespace, command, ...args];
}
