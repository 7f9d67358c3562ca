/** Chooses what measures on this host, the kernel or Node.js' own sockets, and says why it is not the kernel. */

import type { Clock } from '../base/clock.ts';
import { PopprobeError } from '../base/errors.ts';
import { ClockStateReader } from '../linux/clock-state-reader.ts';
import { libc } from '../linux/libc.ts';
import { SystemClock } from '../linux/system-clock.ts';
import { startProbing, startReflecting } from './probing.ts';

export type TransportChoice = 'auto' | 'kernel' | 'portable';

/** A way to measure: all of one agent's packets go the same. */
export interface Measuring {
  /** Why there are no kernel stamps: an error code, or 'configured'; null when there are. */
  reason: string | null;
  /** The reason as a sentence for the log; null when there is none. */
  explanation: string | null;
  clock: Clock;
  /** Knows whether the clock is synchronised. */
  clockState: ClockStateReader;
  startProbing: typeof startProbing;
  startReflecting: typeof startReflecting;
}

/**
 * `auto` takes the kernel where its library loads and is laid out as popprobe knows it, and Node.js' own sockets elsewhere.
 * Throws kernel_unavailable or kernel_abi_mismatch when `kernel` is asked for and not to be had.
 */
export async function chooseMeasuring(wanted: TransportChoice): Promise<Measuring> {
  if (wanted === 'portable') return portable('configured', 'the configuration asks for the portable transport');
  try {
    libc();
  } catch (error) {
    if (wanted === 'kernel' || !(error instanceof PopprobeError)) throw error;
    return portable(error.code, error.message);
  }
  return {
    reason: null,
    explanation: null,
    clock: new SystemClock(),
    clockState: new ClockStateReader(),
    startProbing,
    startReflecting,
  };
}

async function portable(reason: string, explanation: string): Promise<Measuring> {
  const [{ PortableClock }, { startPortableProbing, startPortableReflecting }] = await Promise.all([
    import('./portable-clock.ts'),
    import('./portable-probing.ts'),
  ]);
  return {
    reason,
    explanation,
    clock: new PortableClock(),
    // The kernel is asked through koffi; time daemons answer without.
    clockState: new ClockStateReader({ kernel: () => null }),
    startProbing: startPortableProbing,
    startReflecting: startPortableReflecting,
  };
}
