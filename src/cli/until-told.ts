/** Waits until a daemon is told to end: by a signal, or by the death of the parent that supervises it. */

import { once } from 'node:events';

/** Resolves with the reason; a second signal ends the process at once. */
export async function untilToldToStop(): Promise<string> {
  const reason = await Promise.race([
    once(process, 'SIGINT').then(() => 'SIGINT'),
    once(process, 'SIGTERM').then(() => 'SIGTERM'),
    ...(process.connected ? [once(process, 'disconnect').then(() => 'the parent process ended')] : []),
  ]);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  // Listened to, the channel would keep this process alive after everything else has ended.
  if (process.connected) process.disconnect();
  return reason;
}
