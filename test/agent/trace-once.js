/** A process that traces one route with the built program's own code, and prints the result. */

import { tracePath } from '../../dist/agent/path-trace.js';
import { TraceSession } from '../../dist/agent/trace-session.js';
import { SystemClock } from '../../dist/linux/system-clock.js';

const [family, address, identifier, stopAfterMs] = process.argv.slice(2);
const signal = stopAfterMs === undefined ? new AbortController().signal : AbortSignal.timeout(Number(stopAfterMs));
const clock = new SystemClock();
const target = { peer: 'b', family, address, reason: 'requested' };
const tools = { clock, open: async () => new TraceSession(target, Number(identifier), clock) };
process.stdout.write(JSON.stringify(await tracePath(target, tools, signal)));
