/** A process with the product's own probing or reflecting thread in it; hands a copy of their shared memory to its parent. */
/// <reference types="node" />

import { startProbing, startReflecting } from '../../dist/probe/probing.js';

let running;

function fail(error) {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
  process.disconnect();
}

async function handle({ type, plan }) {
  if (type === 'probe') running = await startProbing(plan, fail);
  else if (type === 'reflect') running = await startReflecting(plan, fail);
  process.send({
    counters: Object.fromEntries(running.counters.names.map((name) => [name, running.counters.get(name)])),
    ring: type === 'ring' ? new Uint8Array(running.ring.views.buffer).slice() : null,
  });
}

process.on('message', (request) => {
  handle(request).catch(fail);
});
// The test is over, or its process is gone: the threads would go on for ever.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
