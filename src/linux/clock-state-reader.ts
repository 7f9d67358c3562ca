/** Asks whoever on this host knows whether its clock is synchronised: the kernel, chronyd, systemd-timesyncd. */

import { askChrony } from './chrony-query.ts';
import { type ClockState, UNKNOWN_CLOCK } from './clock-state.ts';
import { readKernelClock } from './kernel-clock.ts';
import { readTimesyncd } from './timesyncd.ts';

/** Where to ask; the defaults are the host's. */
export interface ClockStateSources {
  /** Null where the kernel refuses, as systemd's ProtectClock= makes it. */
  kernel?: () => ClockState | null;
  /** UDP port of chronyd's commands on 127.0.0.1. */
  chronyPort?: number;
  /** Runtime folder of systemd-timesyncd. */
  timesyncdFolder?: string;
}

const CHRONY_PORT = 323;
const TIMESYNCD_FOLDER = '/run/systemd/timesync';

/** Asks anew each time and remembers nothing: what was true a minute ago says nothing of now. */
export class ClockStateReader {
  readonly #kernel: () => ClockState | null;
  readonly #chronyPort: number;
  readonly #timesyncdFolder: string;

  constructor({
    kernel = readKernelClock,
    chronyPort = CHRONY_PORT,
    timesyncdFolder = TIMESYNCD_FOLDER,
  }: ClockStateSources = {}) {
    this.#kernel = kernel;
    this.#chronyPort = chronyPort;
    this.#timesyncdFolder = timesyncdFolder;
  }

  /**
   * The kernel's word where it may be had. Where it says "synchronised" without a bound, chronyd may know one; where it
   * says nothing, chronyd and then systemd-timesyncd are asked. Ready within LIMITS.chronyAnswerMs; throws only
   * kernel_unavailable or kernel_abi_mismatch, where the agent cannot run at all.
   */
  async read(): Promise<ClockState> {
    const kernel = this.#kernel();
    if (kernel && (kernel.synchronised === false || kernel.maxErrorNs !== null)) return kernel;
    const chrony = await askChrony(this.#chronyPort);
    if (chrony && (chrony.synchronised === true || !kernel)) return chrony;
    return kernel ?? (await readTimesyncd(this.#timesyncdFolder)) ?? UNKNOWN_CLOCK;
  }
}
