/** What is printed into a pipe that somebody closes ends the command, and nothing else. */

import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

it('ends without a word when the reader of the output has gone', () => {
  // `true` ends at once: the pipe is closed before the command writes.
  const command = `"${process.execPath}" dist/main.js --help`;
  const script = `{ sleep 0.3; exec ${command}; } | true; `.concat('echo "status ${PIPESTATUS[0]}"');
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toBe('status 0\n');
});

it.runIf(process.platform === 'linux')('says that the disk of its output is full', () => {
  const { status, stderr } = spawnSync('bash', ['-c', `exec "${process.execPath}" dist/main.js --help > /dev/full`], {
    encoding: 'utf8',
  });
  expect(stderr).toMatch(/^popprobe: expected to write .*no space left on device.*\[output_unwritable\]\n$/);
  expect(status).toBe(1);
});
