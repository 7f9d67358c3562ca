/** What the lab asks of the kernel: entering namespaces, TUN devices, file locks, real-time scheduling. */

import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Arena } from '../../src/linux/arena.ts';
import { tryLockFile } from '../../src/linux/file-lock.ts';
import { libc } from '../../src/linux/libc.ts';
import { inNetNamespace } from '../../src/linux/net-namespace.ts';
import { Poller } from '../../src/linux/poller.ts';
import { openTun } from '../../src/linux/tun.ts';
import { because, labMissing } from '../e2e/lab-rig.ts';

const NAMESPACE = `popprobe-tun-${process.pid}`;
const missing = labMissing();

function ip(...args: readonly string[]): string {
  return execFileSync('ip', ['-netns', NAMESPACE, ...args], { encoding: 'utf8' });
}

describe.skipIf(missing !== null)(`a namespace and its TUN device${because(missing)}`, () => {
  beforeAll(() => {
    execFileSync('ip', ['netns', 'add', NAMESPACE]);
  });
  afterAll(() => {
    execFileSync('ip', ['netns', 'delete', NAMESPACE]);
  });

  it('opens there what is opened there, and comes back, also from an error', () => {
    const before = readdirSync('/sys/class/net').length;
    const fd = inNetNamespace(NAMESPACE, () => openTun('other'));
    expect(ip('-br', 'link')).toContain('other');
    expect(execFileSync('ip', ['-br', 'link'], { encoding: 'utf8' })).not.toContain('other');
    expect(() =>
      inNetNamespace(NAMESPACE, () => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(() => inNetNamespace('popprobe-not-there', () => 0)).toThrow(/ENOENT/);
    expect(readdirSync('/sys/class/net')).toHaveLength(before);
    closeSync(fd);
    expect(ip('-br', 'link')).not.toContain('other');
  });

  it('reads whole packets from the kernel and hands packets to it', () => {
    const fd = inNetNamespace(NAMESPACE, () => openTun('wire'));
    ip('addr', 'add', '198.18.1.1/24', 'dev', 'wire');
    ip('link', 'set', 'wire', 'up');
    const poller = new Poller([fd]);
    const ping = (): unknown =>
      spawnSync('ip', ['netns', 'exec', NAMESPACE, 'ping', '-c1', '-W0.1', '-s56', '198.18.1.2']);
    ping();
    const arena = new Arena(2048);
    let length = 0;
    // The kernel's own multicast comes too.
    do {
      expect(poller.waitNs(1e9)).toBe(true);
      expect(poller.isReadable(0)).toBe(true);
      length = libc().read(fd, arena.address(0), 2048);
    } while (arena.view.getUint32(16) !== 0xc612_0102);
    expect(length).toBe(84);
    expect(arena.view.getUint8(9)).toBe(1);
    expect(arena.view.getUint8(20)).toBe(8);
    expect(libc().write(fd, arena.address(0), length)).toBe(84);
    closeSync(fd);
  });
});

describe('a file lock', () => {
  it('is had by one at a time', () => {
    const folder = mkdtempSync(join(tmpdir(), 'popprobe-lock-'));
    const file = join(folder, 'lock');
    const unlock = tryLockFile(file);
    expect(unlock).not.toBeNull();
    expect(tryLockFile(file)).toBeNull();
    unlock?.();
    const again = tryLockFile(file);
    expect(again).not.toBeNull();
    again?.();
    rmSync(folder, { recursive: true });
  });
});
