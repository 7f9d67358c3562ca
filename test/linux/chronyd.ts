/** A real chronyd for tests: it follows a second one on the loopback, and touches no clock of this host. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Why tests with a real chronyd cannot run here, or null when they can. */
export function chronydMissing(): string | null {
  const found = spawnSync('chronyd', ['-v']).error === undefined && spawnSync('chronyc', ['-v']).error === undefined;
  return found ? null : 'needs chronyd and chronyc';
}

/** A UDP port of the loopback that nobody uses now. */
export async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

export class Chronyd {
  readonly #folder: string;
  readonly #children: ChildProcess[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(): Promise<Chronyd> {
    return new Chronyd(await mkdtemp(join(tmpdir(), 'popprobe-chronyd-')));
  }

  /** Starts one with these lines of configuration; resolves at the first line of its log that has `ready` in it. */
  async start(lines: readonly string[], ready: string): Promise<void> {
    const name = join(this.#folder, String(this.#children.length));
    const own = [`pidfile ${name}.pid`, `driftfile ${name}.drift`, 'bindaddress 127.0.0.1', 'bindcmdaddress 127.0.0.1'];
    // `/` for a command socket is none: its default path belongs to the chronyd of the host.
    await writeFile(`${name}.conf`, [...own, 'bindcmdaddress /', ...lines, ''].join('\n'));
    // -x: the system clock is never touched. -U: also without root.
    const args = ['-x', '-U', '-u', userInfo().username, '-f', `${name}.conf`, '-d'];
    const child = spawn('chronyd', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#children.push(child);
    const log: string[] = [];
    for await (const line of createInterface(child.stderr)) {
      log.push(line);
      if (line.includes(ready)) return;
    }
    throw new Error(`chronyd ended: ${log.join('\n')}`);
  }

  async stop(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill();
      await once(child, 'exit');
    }
    await rm(this.#folder, { recursive: true });
  }
}
