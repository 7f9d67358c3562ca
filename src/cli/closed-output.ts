/** Ends a command whose output nobody reads any more, as that of `popprobe status | head -1`. */

/** Whoever read our output has seen enough: that is neither a failure nor worth a word. The daemons log past this stream. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}
