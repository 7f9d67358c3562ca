/** Paths on the command line. */

import { InvalidArgumentError } from 'commander';

/** An empty one, as of a shell variable that is not set, would be this folder, or no socket at all. Throws InvalidArgumentError. */
export function pathArgument(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('expected a path, found nothing');
}
