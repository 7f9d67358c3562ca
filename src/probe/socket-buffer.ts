/** Asks for a socket buffer as large as the platform grants: Linux grants less in silence, others refuse what is too much. */

import { LIMITS } from '../base/limits.ts';

/** What every platform grants. */
const BYTES_MIN = 64 * 1024;

/** Calls `set` with ever smaller sizes until one is not refused; the socket keeps its own size when all are. */
export function setLargestBuffer(set: (bytes: number) => void): void {
  for (let bytes: number = LIMITS.receiveBufferBytes; bytes >= BYTES_MIN; bytes /= 2) {
    try {
      set(bytes);
      return;
    } catch {
      // Refused: half of it may be granted.
    }
  }
}
