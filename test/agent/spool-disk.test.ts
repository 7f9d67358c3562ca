/** A spool on disks that fill up, turn read-only, go away or are emptied under it: real file systems, real refusals. */

import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Spool } from '../../src/agent/spool.ts';
import { claimSpool } from '../../src/agent/spool-claim.ts';
import { documentName } from '../../src/agent/spool-file.ts';
import { openSpool } from '../../src/agent/spool.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { rootMissing, toolsMissing } from '../linux/privileges.ts';
import { refusalOf } from '../protocol/refusal.ts';
import {
  bind,
  cutImage,
  fill,
  makeImage,
  mountImage,
  mountTmpfs,
  mountWithQuota,
  remount,
  unmount,
} from './small-disk.ts';
import {
  buildDocument,
  drain,
  oldestIn,
  open,
  quarantined,
  recordingLog,
  silentLog,
  temporaryFolder,
} from './spool-fixture.ts';

const noRoot = rootMissing();
const noImage = noRoot ?? toolsMissing('mkfs.ext4') ?? (existsSync('/dev/loop-control') ? null : 'needs loop devices');

const noQuota = noRoot ?? toolsMissing('mkfs.btrfs') ?? (existsSync('/dev/loop-control') ? null : 'needs loop devices');

const MEGABYTE = 1024 * 1024;
const padding = 'x'.repeat(100_000);

/** A folder on a disk of its own, of 2 MB unless the options say something else. */
async function smallDisk(options = 'size=2m'): Promise<string> {
  return mountTmpfs(join(await temporaryFolder(), 'disk'), options);
}

/** Appends documents from this number on until the disk refuses, and returns the number that was refused. */
async function appendUntilRefused(spool: Spool, first: number): Promise<number> {
  for (let sequence = first; ; sequence += 1) {
    try {
      await spool.append(buildDocument(sequence, padding));
    } catch {
      return sequence;
    }
  }
}

describe.skipIf(noRoot)(`a disk that somebody else fills (${noRoot ?? 'as root'})`, () => {
  it('keeps what is there, says once that it refuses, and takes documents again when there is room', async () => {
    const disk = await smallDisk();
    const { log, lines } = recordingLog();
    const spool = await open(join(disk, 'spool'), MEGABYTE, log);
    await spool.append(buildDocument(1, padding));
    const ballast = await fill(disk);
    for (let tries = 0; tries < 3; tries += 1) {
      expect(await refusalOf(() => spool.append(buildDocument(2, padding)))).toMatchObject({ found: 'ENOSPC' });
    }
    expect(spool.status()).toMatchObject({
      documents: 1,
      discarded: 0,
      degraded: { reason: expect.stringMatching(/ENOSPC/) },
    });
    expect(lines.filter(({ level }) => level >= 40).map(({ msg }) => msg)).toEqual([
      'the spool is degraded: its disk refuses',
    ]);
    await rm(ballast);
    await spool.append(buildDocument(2, padding));
    expect(spool.status()).toMatchObject({ documents: 2, degraded: null });
    expect(lines.at(-1)?.msg).toBe('the spool is well again: its disk does what it is asked');
    expect(await drain(spool)).toEqual([1, 2]);
  });

  it('lets documents go all the same: delivered, refused or dropped by hand', async () => {
    const disk = await smallDisk();
    const folder = join(disk, 'spool');
    const spool = await open(folder, MEGABYTE);
    for (const sequence of [1, 2, 3, 4]) await spool.append(buildDocument(sequence, padding));
    await fill(disk);
    expect(await spool.drop([2])).toEqual([2]);
    await fill(disk);
    await spool.quarantine(3, 'HTTP 422');
    await spool.delivered(1);
    await spool.delivered(4);
    expect(spool.status()).toMatchObject({ documents: 0, undeleted: 0, quarantined: 1, degraded: null });
    const restarted = await open(folder, MEGABYTE);
    expect(restarted.head?.sequence).toBe(4);
    expect(restarted.pendingGaps().map(({ reason, ranges }) => [reason, ranges])).toEqual([
      ['refused', [[3, 3]]],
      ['dropped', [[2, 2]]],
    ]);
  });

  it('is no reason to give up what is signed; the bound is', async () => {
    const disk = await smallDisk();
    const spool = await open(join(disk, 'spool'), 3 * padding.length + 1000);
    for (const sequence of [1, 2, 3, 4]) await spool.append(buildDocument(sequence, padding));
    await fill(disk);
    await spool.delivered(2);
    await spool.delivered(3);
    await spool.delivered(4);
    await fill(disk);
    await refusalOf(() => spool.append(buildDocument(5, padding)));
    expect(spool.status()).toMatchObject({ documents: 0, discarded: 1 });
  });
});

describe.skipIf(noQuota)(`a quota that is used up (${noQuota ?? 'as root'})`, () => {
  it('is like a full disk: what waits can be delivered, and then there is room again', async () => {
    const volume = mountWithQuota(join(await temporaryFolder(), 'disk'), 2 * MEGABYTE);
    const spool = await open(join(volume, 'spool'), 64 * MEGABYTE);
    const refused = await appendUntilRefused(spool, 1);
    expect(refused).toBeGreaterThan(3);
    expect(await refusalOf(() => spool.append(buildDocument(refused, padding)))).toMatchObject({ found: 'EDQUOT' });
    expect(spool.status()).toMatchObject({
      documents: refused - 1,
      degraded: { reason: expect.stringMatching(/EDQUOT/) },
    });
    for (const sequence of [1, 2, 3]) await spool.delivered(sequence);
    await spool.append(buildDocument(refused, padding));
    expect(spool.status()).toMatchObject({ documents: refused - 3, undeleted: 0, discarded: 0, degraded: null });
    expect(await drain(spool)).toEqual(Array.from({ length: refused - 3 }, (_, at) => at + 4));
  });
});

describe.skipIf(noRoot)(`a disk smaller than the spool may become (${noRoot ?? 'as root'})`, () => {
  it('holds what it can, gives up nothing, and goes on as documents are delivered', async () => {
    const folder = join(await smallDisk(), 'spool');
    const spool = await open(folder, 64 * MEGABYTE);
    const refused = await appendUntilRefused(spool, 1);
    expect(refused).toBeGreaterThan(15);
    expect(spool.status()).toMatchObject({ documents: refused - 1, discarded: 0 });
    expect(spool.head?.sequence).toBe(refused - 1);
    await spool.delivered(1);
    await spool.append(buildDocument(refused, padding));
    expect(spool.status().degraded).toBeNull();
    const restarted = await open(folder, 64 * MEGABYTE);
    expect(await drain(restarted)).toEqual(Array.from({ length: refused - 1 }, (_, index) => index + 2));
  });

  it('may also run out of names', async () => {
    const folder = join(await smallDisk('size=2m,nr_inodes=12'), 'spool');
    const spool = await open(folder, 64 * MEGABYTE);
    const refused = await appendUntilRefused(spool, 1);
    expect(spool.status()).toMatchObject({
      documents: refused - 1,
      degraded: { reason: expect.stringMatching(/ENOSPC/) },
    });
    expect(await spool.drop([1, 2])).toEqual([1, 2]);
    await spool.append(buildDocument(refused, padding));
    expect(spool.status().degraded).toBeNull();
  });
});

describe.skipIf(noRoot)(`a disk that turns read-only (${noRoot ?? 'as root'})`, () => {
  it('is read on, sends nothing twice in one run, and is put right when it can be written again', async () => {
    const disk = await smallDisk();
    const folder = join(disk, 'spool');
    const { log, lines } = recordingLog();
    const spool = await open(folder, MEGABYTE, log);
    for (const sequence of [1, 2, 3, 4, 5]) await spool.append(buildDocument(sequence));
    await writeFile(join(folder, documentName(2)), 'torn');
    remount(disk, 'ro');
    expect(await refusalOf(() => spool.append(buildDocument(6)))).toMatchObject({ found: 'EROFS' });
    expect((await oldestIn(spool))?.sequence).toBe(1);
    await spool.delivered(1);
    // The torn one cannot be moved out of the way, and is not in the way.
    expect((await oldestIn(spool))?.sequence).toBe(3);
    await spool.quarantine(3, 'HTTP 422');
    expect(await drain(spool)).toEqual([4, 5]);
    expect(spool.status()).toMatchObject({
      documents: 0,
      undeleted: 3,
      degraded: { reason: expect.stringMatching(/EROFS/) },
    });
    expect(lines.filter(({ msg }) => msg === 'the spool is degraded: its disk refuses')).toHaveLength(1);

    remount(disk, 'rw');
    await spool.append(buildDocument(6));
    expect(spool.status()).toMatchObject({ documents: 1, undeleted: 0, degraded: null });
    const declared = spool.pendingGaps().map(({ reason, ranges }) => [reason, ranges]);
    expect(declared).toEqual([
      ['damaged', [[2, 2]]],
      ['refused', [[3, 3]]],
    ]);
    // What it could not move is found again by the next start: the torn one is set aside, the refused one is sent again.
    const restarted = await open(folder, MEGABYTE);
    expect(await drain(restarted)).toEqual([3, 6]);
    expect(Object.keys(await quarantined(folder))).toEqual([documentName(2)]);
  });

  it('does not keep an agent from starting', async () => {
    const disk = await smallDisk();
    const folder = join(disk, 'spool');
    const before = await open(folder, MEGABYTE);
    for (const sequence of [1, 2]) await before.append(buildDocument(sequence));
    await writeFile(join(folder, '.head.json.tmp'), '{"seq');
    await writeFile(join(folder, documentName(1)), '');
    remount(disk, 'ro');
    const spool = await open(folder, MEGABYTE);
    expect(spool.head?.sequence).toBe(2);
    expect(await drain(spool)).toEqual([2]);
  });
});

describe('a folder that is deleted under a running agent', () => {
  it('is made anew, what was in it is declared, and the chain goes on', async () => {
    const folder = join(await temporaryFolder(), 'state', 'spool');
    const { log, lines } = recordingLog();
    const claims: string[] = [];
    const options = { directory: folder, maxBytes: MEGABYTE, maxAgeH: 1 };
    const spool = await openSpool(options, log, (directory) => claims.push(directory));
    for (const sequence of [1, 2, 3]) await spool.append(buildDocument(sequence));
    await spool.quarantine(1, 'HTTP 422');
    await rm(join(folder, '..'), { recursive: true });
    await spool.append(buildDocument(4));
    expect(claims).toEqual([folder, folder]);
    expect(lines.filter(({ level }) => level === 50)).toMatchObject([{ documents: 2 }]);
    expect(spool.status()).toMatchObject({ documents: 1, lost: 2, degraded: null });
    const gaps = spool.pendingGaps().map(({ reason, ranges }) => [reason, ranges]);
    expect(gaps).toEqual([
      ['damaged', [[2, 3]]],
      ['refused', [[1, 1]]],
    ]);
    const restarted = await open(folder);
    expect(restarted.pendingGaps()).toEqual(spool.pendingGaps());
    expect(restarted.head).toEqual({ sequence: 4, digest: digestOf(buildDocument(4).octets) });
    expect(await drain(restarted)).toEqual([4]);
  });

  it('remembers the chain although nothing is appended any more', async () => {
    const folder = join(await temporaryFolder(), 'spool');
    const spool = await open(folder);
    for (const sequence of [1, 2]) await spool.append(buildDocument(sequence));
    await rm(folder, { recursive: true });
    expect(await oldestIn(spool)).toBeNull();
    expect(spool.pendingGaps().map(({ ranges }) => ranges)).toEqual([[[1, 2]]]);
    expect((await open(folder)).head?.sequence).toBe(2);
  });

  it('or another one in its place, is claimed again, and not while another agent has it', async () => {
    const folder = join(await temporaryFolder(), 'spool');
    const spool = await openSpool({ directory: folder, maxBytes: MEGABYTE, maxAgeH: 1 }, silentLog, (directory) =>
      claimSpool(directory, silentLog),
    );
    await spool.append(buildDocument(1));
    await rename(folder, `${folder}.old`);
    await mkdir(folder);
    claimSpool(folder, silentLog);
    expect((await refusalOf(() => spool.append(buildDocument(2)))).code).toBe('spool_in_use');
    expect(await readdir(folder)).toEqual([]);
    await rm(folder, { recursive: true });
    await spool.append(buildDocument(2));
    expect(spool.waiting).toEqual({ count: 1, oldest: 2, newest: 2 });
  });

  it('and replaced at once, is noticed although the new one has its inode number', async () => {
    const folder = join(await temporaryFolder(), 'spool');
    const spool = await open(folder);
    await spool.append(buildDocument(1));
    await rm(folder, { recursive: true });
    await mkdir(folder);
    await spool.append(buildDocument(2));
    expect(spool.waiting).toEqual({ count: 1, oldest: 2, newest: 2 });
    expect(spool.pendingGaps().map(({ ranges }) => ranges)).toEqual([[[1, 1]]]);
  });

  it('in part, costs the documents that are gone and no other', async () => {
    const folder = join(await temporaryFolder(), 'spool');
    const spool = await open(folder);
    for (let sequence = 1; sequence <= 9; sequence += 1) await spool.append(buildDocument(sequence));
    for (const sequence of [1, 2, 3, 5, 9]) await rm(join(folder, documentName(sequence)));
    expect(await drain(spool)).toEqual([4, 6, 7, 8]);
    expect(spool.status()).toMatchObject({ lost: 5, quarantined: 0 });
    expect(spool.pendingGaps().map(({ ranges }) => ranges)).toEqual([
      [
        [1, 3],
        [5, 5],
        [9, 9],
      ],
    ]);
  });
});

describe.skipIf(noRoot)(`a disk that is not mounted for a while (${noRoot ?? 'as root'})`, () => {
  it('is waited for: the chain does not go on elsewhere, and its documents are not declared lost', async () => {
    const disk = await smallDisk();
    const place = join(await temporaryFolder(), 'place');
    bind(disk, place);
    let isMounted = true;
    onTestFinished(() => (isMounted ? unmount(place) : undefined));
    const folder = join(place, 'spool');
    const spool = await open(folder, MEGABYTE);
    await spool.append(buildDocument(1));
    unmount(place);
    isMounted = false;
    expect(await refusalOf(() => spool.append(buildDocument(2)))).toMatchObject({ found: 'another file system' });
    expect(await readdir(place)).toEqual([]);
    expect(spool.status()).toMatchObject({ documents: 1, degraded: { reason: expect.any(String) } });
    bind(disk, place);
    isMounted = true;
    await spool.append(buildDocument(2));
    expect(spool.status().degraded).toBeNull();
    expect(await drain(spool)).toEqual([1, 2]);
    expect(spool.pendingGaps()).toEqual([]);
  });
});

describe.skipIf(noImage)(`a disk that fails (${noImage ?? 'as root'})`, () => {
  /** What is not delivered, and so has the right digest, is declared, or its number is free. Returns what was set aside. */
  async function expectAccounted(directory: string, last: number): Promise<Record<string, string>> {
    const spool = await open(directory, 64 * MEGABYTE);
    const delivered = new Set(await drain(spool));
    const declared = spool.pendingGaps().flatMap(({ ranges }) => ranges);
    const head = spool.head?.sequence ?? 0;
    for (let sequence = 1; sequence <= last; sequence += 1) {
      const isDeclared = declared.some(([first, end]) => first <= sequence && sequence <= end);
      expect([sequence, delivered.has(sequence)]).toEqual([sequence, !isDeclared && sequence <= head]);
    }
    return quarantined(directory);
  }

  it('to read some documents sends the others, and declares these', async () => {
    const folder = await temporaryFolder();
    const [image, disk] = [join(folder, 'image'), join(folder, 'disk')];
    const directory = join(disk, 'spool');
    makeImage(image);
    mountImage(image, disk);
    onTestFinished(() => unmount(disk));
    const before = await open(directory, 64 * MEGABYTE);
    for (let sequence = 1; sequence <= 80; sequence += 1) await before.append(buildDocument(sequence, padding));
    // What the kernel has in memory it would read from there.
    unmount(disk);
    mountImage(image, disk);
    cutImage(image);
    expect(Object.values(await expectAccounted(directory, 80))).toContain('the disk cannot read it (EIO)\n');
  });

  it('to keep what it has taken has sent nothing that is torn', async () => {
    const folder = await temporaryFolder();
    // The image believes that it has 16 MB; the disk below has two, and not every write that is cut short is an error.
    const image = join(mountTmpfs(join(folder, 'below'), 'size=2m'), 'image');
    const disk = join(folder, 'disk');
    makeImage(image);
    mountImage(image, disk);
    onTestFinished(() => unmount(disk));
    const directory = join(disk, 'spool');
    const spool = await open(directory, 64 * MEGABYTE);
    const refused = await appendUntilRefused(spool, 1);
    expect(spool.status().degraded?.reason).toMatch(/ENOSPC|EIO/);
    unmount(disk);
    mountImage(image, disk);
    await expectAccounted(directory, refused - 1);
  });
});
