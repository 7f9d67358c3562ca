/** Stands in for `popprobe`: ends, warns or stays, as its arguments say. Every act but `die` stays until SIGTERM. */
/// <reference types="node" />

import { spawn } from 'node:child_process';

const [act = '', ...words] = process.argv.slice(2);

function warn(msg) {
  process.stdout.write(`${JSON.stringify({ level: 40, msg })}\n`);
}

switch (act) {
  case 'die':
    process.stderr.write(words.join(' '));
    process.exitCode = 3;
    break;
  case 'die-by-signal':
    process.kill(process.pid, 'SIGKILL');
    break;
  case 'leave-words': {
    // They come through this process's own stderr, but only once it has ended and the pipe to the writer is closed.
    const writer = 'process.stdin.resume().on("end", () => process.stderr.write("last words"))';
    const child = spawn(process.execPath, ['-e', writer], { stdio: ['pipe', 'inherit', 'inherit'] });
    child.once('spawn', () => process.kill(process.pid, 'SIGKILL'));
    break;
  }
  case 'say':
    for (const word of words) process.stdout.write(`${word}\n`);
    break;
  case 'deaf':
    process.on('SIGTERM', () => process.stdout.write('I will not\n'));
    warn(`up ${process.pid}`);
    break;
  case 'tidy':
    process.on('SIGTERM', () => process.stdout.write('tidied up\n', () => process.exit()));
    warn(`up ${process.pid}`);
    break;
  default:
    throw new Error(`no such act: ${act}`);
}

if (!act.startsWith('die')) setInterval(() => undefined, 60_000);
