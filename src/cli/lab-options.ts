/** Options that "lab" and "start" share. */

import { InvalidArgumentError } from 'commander';

/** Name of a lab that was given none. */
export const LAB_NAME = 'lab';

/** Where the collector's web side of a lab is when nobody says. */
export const LAB_PORT = 8790;

const PORT_MAX = 65_535;

/** Throws commander's InvalidArgumentError. */
export function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= PORT_MAX) return port;
  throw new InvalidArgumentError(`expected a TCP port from 1 to ${PORT_MAX}`);
}
