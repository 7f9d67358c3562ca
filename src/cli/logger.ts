/** The log of a daemon: JSON lines for machines, one readable line each on a terminal. */

import { type Logger, pino } from 'pino';

/** Writes to standard output, synchronously: the last line before a crash is the one that matters. */
export async function makeLogger(level: string): Promise<Logger> {
  if (!process.stdout.isTTY) return pino({ level }, pino.destination({ dest: 1, sync: true }));
  // Loaded only where somebody looks: a daemon under systemd does not need its memory.
  const { default: pretty } = await import('pino-pretty');
  return pino({ level }, pretty({ sync: true, translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname' }));
}
