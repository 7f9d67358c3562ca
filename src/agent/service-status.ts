/** Keeps what systemd knows of the agent true, where systemd has started it: what it is at, and the line of `systemctl status`. */

import type { Logger } from 'pino';
import { PopprobeError } from '../base/errors.ts';
import { ServiceManager, type ServiceState } from '../linux/service-manager.ts';

export class ServiceStatus {
  readonly #manager: ServiceManager | null;
  readonly #condition: () => string;
  readonly #log: Logger;
  #told = '';
  /** What it has come to and systemd has not taken yet. */
  #untold: ServiceState | null = null;
  #reloads = 0;
  #isStopping = false;
  #isRefused = false;

  private constructor(manager: ServiceManager | null, condition: () => string, log: Logger) {
    this.#manager = manager;
    this.#condition = condition;
    this.#log = log;
  }

  /**
   * Without a socket, or without koffi, nobody is told.
   *
   * @param socket value of NOTIFY_SOCKET
   * @param condition how the agent is doing, in one line
   */
  static open(socket: string | undefined, condition: () => string, log: Logger): ServiceStatus {
    try {
      return new ServiceStatus(ServiceManager.open(socket), condition, log);
    } catch (error) {
      if (!(error instanceof PopprobeError && error.code === 'kernel_unavailable')) throw error;
      return new ServiceStatus(null, condition, log);
    }
  }

  /** The agent has started: a unit of Type=notify is active from here on, and what waits for it may start. */
  ready(): void {
    this.#untold = 'ready';
    this.show();
  }

  /** Called each second; tells what is new. A manager that does not take it is tried again, and said once. */
  show(): void {
    if (!this.#isStopping) this.#tell(this.#condition());
  }

  /** The agent reads its configuration again until `reload` settles: for as long "systemctl reload" waits. */
  async whileReloading(reload: Promise<void>): Promise<void> {
    this.#reloads += 1;
    this.#untold = 'reloading';
    this.show();
    await reload;
    this.#reloads -= 1;
    // One that was asked for meanwhile is not answered by this one.
    if (this.#reloads === 0 && !this.#isStopping) this.ready();
  }

  /** The agent has begun to stop. */
  stopping(): void {
    this.#isStopping = true;
    this.#untold = 'stopping';
    this.#tell('stopping: what was measured is sealed and delivered');
  }

  stop(): Promise<void> {
    this.#isStopping = true;
    this.#tell('stopped');
    this.#manager?.close();
    return Promise.resolve();
  }

  #tell(line: string): void {
    if (this.#manager === null || (line === this.#told && this.#untold === null)) return;
    const refusal = this.#manager.tell(this.#untold, line);
    if (refusal === null) [this.#told, this.#untold] = [line, null];
    else if (!this.#isRefused) this.#log.warn({ refusal }, 'systemd does not take the status of the agent');
    this.#isRefused = refusal !== null;
  }
}
