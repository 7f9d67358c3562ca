/** Gives back the pages of the Node.js executable that only its start has needed. */

import { readFileSync } from 'node:fs';
import { MADV_DONTNEED } from './constants.ts';
import { type Address, libc } from './libc.ts';

/** A stretch of this process's memory. */
export interface Mapping {
  address: Address;
  bytes: number;
}

/**
 * Lets go of every page of the executable that is as it is on disk. What runs on is mapped again from the page cache by
 * the next access, 64 kB at a time; what only the start has used stays away. Returns the octets of the mappings.
 *
 * @throws the file system's own error when /proc cannot be read
 */
export function releaseProgramPages(): number {
  const kernel = libc();
  let released = 0;
  for (const { address, bytes } of unchangedMappings(readFileSync('/proc/self/smaps', 'latin1'), process.execPath)) {
    // Refused where an operator has locked the memory of the process: then the pages shall stay.
    if (kernel.madvise(address, bytes, MADV_DONTNEED) === 0) released += bytes;
  }
  return released;
}

/** `00400000-00b6f000 r-xp 00000000 fe:00 1234   /usr/bin/node`, and lines with the figures of that mapping. */
const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ *(.*)$/;

/**
 * The mappings of `program` that are private, not writable, and hold no page of their own (proc_pid_smaps(5)). A page of
 * its own, such as one with addresses that the loader has filled in, would be lost.
 */
export function unchangedMappings(smaps: string, program: string): Mapping[] {
  const mappings: Mapping[] = [];
  let mapping: Mapping | null = null;
  for (const line of smaps.split('\n')) {
    const [, start = '', end = '', permissions = '', path] = MAPPING.exec(line) ?? [];
    if (path !== undefined) {
      const address = Number.parseInt(start, 16);
      const isCandidate = path === program && /^r-.p$/.test(permissions);
      mapping = isCandidate ? { address, bytes: Number.parseInt(end, 16) - address } : null;
    } else if (mapping && /^Anonymous: +0 kB$/.test(line)) {
      mappings.push(mapping);
    }
  }
  return mappings;
}
