/** The log of a daemon: JSON lines for machines, one readable line each on a terminal. */

import { type Logger, pino } from 'pino';
import { LIMITS } from '../base/limits.ts';

/** Writes to standard output, synchronously: the last line before a crash is the one that matters. */
export async function makeLogger(level: string): Promise<Logger> {
  if (!process.stdout.isTTY) return makeJsonLogger(level);
  // Loaded only where somebody looks: a daemon under systemd does not need its memory.
  const { default: pretty } = await import('pino-pretty');
  return pino({ level }, pretty({ sync: true, translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname' }));
}

/**
 * A log on a full disk costs lines, and no measurement: some wait until there is room again, and what comes after them is
 * lost, counted, and told once the log is written again.
 */
function makeJsonLogger(level: string): Logger {
  const output = pino.destination({ dest: 1, sync: true, maxLength: LIMITS.logWaitingBytesMax });
  // Each line tries to write those that wait as well. Unheard, this event would end the process.
  output.on('error', () => undefined);
  // Every line is written at once already; on a full disk this one would try for ever, before a fatal exit of all things.
  output.flushSync = () => undefined;
  const log = pino({ level }, output);
  let lines = 0;
  let isTryingAgain = false;
  output.on('drop', (line: string) => {
    if (isTryingAgain) {
      lines += 1;
      return;
    }
    // With no room for the line, nothing was tried: this tries to write what waits, and then the line has its chance.
    isTryingAgain = true;
    output.write('');
    output.write(line);
    isTryingAgain = false;
  });
  output.on('drain', () => {
    if (lines === 0) return;
    const lost = { lines };
    lines = 0;
    log.warn(lost, 'log lines lost: the log could not be written');
  });
  return log;
}
