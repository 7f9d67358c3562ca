/** The quarantine's own bound: the oldest arrivals go first, over restarts as well. */

import { mkdir, readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Quarantine } from '../../src/agent/quarantine.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { recordingLog, silentLog, temporaryFolder } from './spool-fixture.ts';

/** A file that claims much and occupies nothing. */
async function sparseFile(path: string, bytes: number): Promise<string> {
  await writeFile(path, '');
  await truncate(path, bytes);
  return path;
}

const namesIn = async (folder: string): Promise<string[]> => (await readdir(folder)).toSorted();

describe('a full quarantine', () => {
  it('deletes what arrived first with its reason, counts it and says so', async () => {
    const folder = await temporaryFolder();
    const { log, lines } = recordingLog();
    const quarantine = await Quarantine.open(join(folder, 'quarantine'), log);
    const half = LIMITS.quarantineBytesMax / 2;
    for (const name of ['b', 'a', 'c']) await quarantine.take(await sparseFile(join(folder, name), half), 'refused');
    expect(await namesIn(join(folder, 'quarantine'))).toEqual(['a', 'a.reason', 'c', 'c.reason']);
    expect(quarantine).toMatchObject({ taken: 3, discarded: 1 });
    expect(lines).toMatchObject([{ level: 50, file: 'b' }]);
  });

  it('knows after a restart what it holds', async () => {
    const folder = await temporaryFolder();
    const directory = join(folder, 'quarantine');
    const before = await Quarantine.open(directory, silentLog);
    await before.take(await sparseFile(join(folder, 'a'), LIMITS.quarantineBytesMax), 'refused');
    const after = await Quarantine.open(directory, silentLog);
    await after.take(await sparseFile(join(folder, 'b'), 1), 'refused');
    expect(await namesIn(directory)).toEqual(['b', 'b.reason']);
    expect(after).toMatchObject({ taken: 1, discarded: 1 });
  });

  it('takes a file although its reason cannot be written', async () => {
    const folder = await temporaryFolder();
    const { log, lines } = recordingLog();
    const quarantine = await Quarantine.open(join(folder, 'quarantine'), log);
    await mkdir(join(folder, 'quarantine', 'a.reason'));
    await quarantine.take(await sparseFile(join(folder, 'a'), 1), 'HTTP 422');
    expect(await namesIn(join(folder, 'quarantine'))).toEqual(['a', 'a.reason']);
    expect(lines).toMatchObject([{ level: 40, reason: 'HTTP 422' }]);
  });
});
