/** What systemd-timesyncd leaves for others to see of the clock. */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClockState } from './clock-state.ts';

/**
 * systemd-timesyncd makes the file `synchronized` once it has set the clock; the folder goes when it stops. It tells
 * neither offset nor error. Null when it does not run or may not be asked.
 */
export async function readTimesyncd(folder: string): Promise<ClockState | null> {
  if (!(await isThere(folder))) return null;
  const synchronised = await isThere(join(folder, 'synchronized'));
  return { synchronised, offsetNs: null, maxErrorNs: null, source: 'timesyncd' };
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
