/** Ends a command whose output nobody reads any more, as that of `popprobe status | head -1`, or whose output finds no room. */

import { PopprobeError } from '../base/errors.ts';
import { systemReason } from '../config/small-file.ts';

/**
 * Whoever read our output has seen enough: that is neither a failure nor worth a word. Output that is lost otherwise, on a full
 * disk, is a failure. The daemons log past this stream.
 */
export function endWithReader(): void {
  process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EPIPE') process.exit();
    const { message, code } = new PopprobeError('output_unwritable', {
      expected: 'to write to standard output',
      found: systemReason(cause),
      remedy: 'make room, or send the output elsewhere',
    });
    process.stderr.write(`popprobe: ${message} [${code}]\n`);
    process.exit(1);
  });
}
