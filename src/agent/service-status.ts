/** Keeps the line that `systemctl status` shows of the agent true, where systemd has started it. */

import type { Logger } from 'pino';
import { PopprobeError } from '../base/errors.ts';
import { ServiceManager } from '../linux/service-manager.ts';

export class ServiceStatus {
  readonly #manager: ServiceManager | null;
  readonly #log: Logger;
  #told = '';
  #isRefused = false;

  private constructor(manager: ServiceManager | null, log: Logger) {
    this.#manager = manager;
    this.#log = log;
  }

  /** @param socket value of NOTIFY_SOCKET. Without it, or without koffi, nobody is told. */
  static open(socket: string | undefined, log: Logger): ServiceStatus {
    try {
      return new ServiceStatus(ServiceManager.open(socket), log);
    } catch (error) {
      if (!(error instanceof PopprobeError && error.code === 'kernel_unavailable')) throw error;
      return new ServiceStatus(null, log);
    }
  }

  /** Called each second; tells what is new. A manager that does not take it is tried again, and said once. */
  show(line: string): void {
    if (this.#manager === null || line === this.#told) return;
    const refusal = this.#manager.tellStatus(line);
    if (refusal === null) this.#told = line;
    else if (!this.#isRefused) this.#log.warn({ refusal }, 'systemd does not take the status of the agent');
    this.#isRefused = refusal !== null;
  }

  stop(): Promise<void> {
    this.#manager?.close();
    return Promise.resolve();
  }
}
