/** What a service manager receives: a real datagram socket, at a path and in the abstract namespace. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ServiceManager } from '../../src/linux/service-manager.ts';
import { receiverAt } from './notify-receiver.ts';

const ENOENT = 'ENOENT';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'popprobe-notify-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

function managerAt(socket: string): ServiceManager {
  const manager = ServiceManager.open(socket);
  if (manager === null) throw new Error('a manager expected');
  onTestFinished(() => manager.close());
  return manager;
}

describe.runIf(process.platform === 'linux')('a service manager', () => {
  it.each(['path', 'abstract'])('is told at its socket, %s', (kind) => {
    const name = kind === 'path' ? join(folder(), 'notify') : `@popprobe-test-${process.pid}`;
    const received = receiverAt(name);
    const manager = managerAt(name);
    expect(manager.tell(null, 'probing 56 paths; 0 documents wait')).toBeNull();
    expect(manager.tell(null, 'two\nlines — one datagram')).toBeNull();
    expect([received(), received(), received()]).toEqual([
      'STATUS=probing 56 paths; 0 documents wait',
      'STATUS=two lines — one datagram',
      null,
    ]);
  });

  it('is told what the service is at: a reload with the time, by which systemd knows which one it is', () => {
    const received = receiverAt('@popprobe-state');
    const manager = managerAt('@popprobe-state');
    const beforeUs = Number(process.hrtime.bigint() / 1000n);
    for (const state of ['ready', 'reloading', 'stopping'] as const) expect(manager.tell(state, 'so so')).toBeNull();
    expect(received()).toBe('READY=1\nSTATUS=so so');
    const [, stampUs] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)\nSTATUS=so so$/.exec(received() ?? '') ?? [];
    expect(Number(stampUs)).toBeGreaterThanOrEqual(beforeUs);
    expect(Number(stampUs)).toBeLessThanOrEqual(Number(process.hrtime.bigint() / 1000n));
    expect(received()).toBe('STOPPING=1\nSTATUS=so so');
  });

  it('gets no more than 512 octets, none of them half a character', () => {
    const received = receiverAt('@popprobe-long');
    managerAt('@popprobe-long').tell(null, 'µ'.repeat(400));
    expect(received()).toBe(`STATUS=${'µ'.repeat(252)}`);
  });

  it('that is gone is said, and may come back', () => {
    const name = join(folder(), 'notify');
    const manager = managerAt(name);
    expect(manager.tell(null, 'nobody hears')).toContain(ENOENT);
    const received = receiverAt(name);
    expect(manager.tell(null, 'somebody does')).toBeNull();
    expect(received()).toBe('STATUS=somebody does');
  });

  it('that reads nothing holds nobody up', () => {
    const name = '@popprobe-full';
    receiverAt(name);
    const manager = managerAt(name);
    const refusals = Array.from({ length: 2000 }, () => manager.tell(null, 'x'));
    expect(refusals.at(-1)).toContain('EAGAIN');
  });

  it.each([undefined, '', 'relative', '/', `/${'x'.repeat(108)}`])('is none with NOTIFY_SOCKET %s', (socket) => {
    expect(ServiceManager.open(socket)).toBeNull();
  });
});
