/** Which mappings of the executable may be let go of, and that a program goes on after it. */

import { describe, expect, it } from 'vitest';
import { releaseProgramPages, unchangedMappings } from '../../src/linux/program-pages.ts';

const NODE = '/usr/bin/node';

/** One mapping as /proc/PID/smaps of Linux 6.18 shows it, cut to the lines around the one that counts. */
function smaps(range: string, permissions: string, path: string, anonymousKb: number): string {
  return `${range} ${permissions} 00000000 fe:00 131                               ${path}
Size:               7612 kB
Rss:                5992 kB
Anonymous:      ${String(anonymousKb).padStart(8)} kB
AnonHugePages:         0 kB
VmFlags: rd mr mw me sd`;
}

function rangesOf(...mappings: string[]): number[] {
  return unchangedMappings(`${mappings.join('\n')}\n`, NODE).map(({ address }) => address);
}

describe('the mappings to let go of', () => {
  it('are code and constants of the program, with address and size', () => {
    const text = [smaps('00400000-00b6f000', 'r--p', NODE, 0), smaps('00b72000-02600000', 'r-xp', NODE, 0)].join('\n');
    expect(unchangedMappings(text, NODE)).toEqual([
      { address: 0x400000, bytes: 0x76f000 },
      { address: 0xb72000, bytes: 0x1a8e000 },
    ]);
  });

  it('are none with pages of their own: what the loader has filled in is not in the file', () => {
    expect(rangesOf(smaps('0563a000-0563e000', 'r--p', NODE, 12))).toEqual([]);
  });

  it('are none that can be written, or are shared', () => {
    expect(rangesOf(smaps('1000-2000', 'rw-p', NODE, 0), smaps('3000-4000', 'r--s', NODE, 0))).toEqual([]);
  });

  it('are none of another file, of a replaced one, or of no file', () => {
    const others = ['/usr/lib/libc.so.6', `${NODE} (deleted)`, '', '[heap]'];
    expect(rangesOf(...others.map((path) => smaps('1000-2000', 'r-xp', path, 0)))).toEqual([]);
  });

  it('do not take a figure of the mapping behind them for their own', () => {
    expect(rangesOf(smaps('1000-2000', 'r-xp', '[vdso]', 0), smaps('3000-4000', 'r-xp', NODE, 4))).toEqual([]);
  });
});

describe.skipIf(process.platform !== 'linux')('this very process', () => {
  it('goes on after it has let go of its program, and more than once', () => {
    expect(releaseProgramPages()).toBeGreaterThan(0);
    expect(releaseProgramPages()).toBeGreaterThan(0);
    expect(new Intl.DateTimeFormat('en-US', { timeZone: 'UTC' }).format(0)).toBe('1/1/1970');
  });
});
