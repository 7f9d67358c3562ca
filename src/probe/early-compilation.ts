/** Has V8 compile what the threads run in seconds instead of minutes. */

import { setFlagsFromString } from 'node:v8';

/** V8 11 of Node.js 20 counts executed bytecodes until it optimises a function, later versions count its calls. */
const LAST_V8_OF_BUDGETS = 11;

/**
 * V8 is tuned for programs that do something a million times and end. A tick comes 25 times a second: left alone, V8
 * interprets some of it for minutes (decision 11). The flag concerns what is compiled from now on, in all threads.
 */
export function compileEarly(): void {
  const major = Number(process.versions.v8.split('.')[0]);
  setFlagsFromString(major <= LAST_V8_OF_BUDGETS ? '--interrupt-budget=4096' : '--invocation-count-for-turbofan=200');
}
