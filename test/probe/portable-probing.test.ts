/** What the portable transport cannot do is refused by name, never measured as something else. */

import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { describe, expect, it, vi } from 'vitest';
import { builtFile } from '../../src/base/built-file.ts';
import { formatIp, parseIp } from '../../src/linux/ip-text.ts';
import { endpointOf } from '../../src/linux/sockaddr.ts';
import { DgramTransport } from '../../src/probe/dgram-transport.ts';
import { chooseMeasuring } from '../../src/probe/measuring.ts';
import type { ProbePlan } from '../../src/probe/plan.ts';
import { PortableClock } from '../../src/probe/portable-clock.ts';
import { startPortableProbing } from '../../src/probe/portable-probing.ts';
import { errnoOfNodeError, errnoOfSentence } from '../../src/probe/portable-errno.ts';
import type { TransportEvents } from '../../src/probe/transport.ts';
import { SLOT_STATE } from '../../src/ring/layout.ts';
import { pathPlan } from '../agent/ring-rig.ts';
import { rootMissing } from '../linux/privileges.ts';

const LOCAL = parseIp('127.0.6.1');
const PEER = parseIp('127.0.6.2');
const DEADLINE = { timeout: 10_000 };
const EPERM = 1;
const EAGAIN = 11;
const EOPNOTSUPP = 95;

describe('a UDP class with a DSCP', () => {
  it('is refused, since node:dgram cannot send it as what it would be reported as', async () => {
    const path = pathPlan({ address: PEER, dscp: 46, intervalNs: 10e6, capacity: 64 });
    const plan: ProbePlan = {
      session: 1,
      tmaxNs: 1e9,
      tickNs: 5e6,
      schedule: 'periodic',
      windowS: 60,
      sockets: [{ kind: 'stamp', address: LOCAL, port: 18_626, dscp: 46, payloadBytes: 44 }],
      paths: [path],
    };
    const probing = await startPortableProbing(plan, (error) => {
      throw error;
    });
    expect(probing.sockets).toEqual([
      { kind: 'stamp', transport: 'none', errno: EOPNOTSUPP, receiveBufferBytes: null },
    ]);
    const { state, errno } = probing.ring.views;
    await expect.poll(() => state.indexOf(SLOT_STATE.refused), DEADLINE).toBeGreaterThanOrEqual(0);
    await probing.stop();
    expect(errno[state.indexOf(SLOT_STATE.refused)]).toBe(EOPNOTSUPP);
    // A busy host misses some; none may have gone out.
    const others = [SLOT_STATE.empty, SLOT_STATE.refused, SLOT_STATE.missed] as number[];
    expect([...state].filter((of) => !others.includes(of))).toEqual([]);
  });
});

describe('a kernel without room for a packet', () => {
  it('makes it refused, once and at once, because nobody knows when it leaves', async () => {
    const socket = createSocket('udp4').bind(0, formatIp(LOCAL));
    const transport = new DgramTransport(socket, { payloadBytes: 64, clock: new PortableClock() });
    await vi.waitFor(() => socket.address());
    const events = { onSent: vi.fn<(c: number) => void>(), onRefused: vi.fn<(c: number, e: number) => void>() };
    const told = events as unknown as TransportEvents;
    transport.prepare(0, 8, endpointOf(PEER, 9));
    transport.prepare(1, 8, endpointOf(PEER, 9));
    const queued = vi.spyOn(socket, 'getSendQueueCount').mockReturnValueOnce(0).mockReturnValue(1);
    transport.send(2, Int32Array.of(7, 8), told);
    expect(events.onRefused.mock.calls).toEqual([
      [7, EAGAIN],
      [8, EAGAIN],
    ]);
    queued.mockRestore();
    transport.send(1, Int32Array.of(9), told);
    await vi.waitFor(() => {
      transport.receive(told);
      expect(events.onSent.mock.calls).toEqual([[9]]);
    }, DEADLINE);
    expect(events.onRefused).toHaveBeenCalledTimes(2);
    transport.close();
  });
});

describe.skipIf(rootMissing())(`without root (${rootMissing() ?? 'tried as nobody'})`, () => {
  it('raw-socket is refused with the errno of the kernel', () => {
    const program = `
      import { openRawSocketTransport } from ${JSON.stringify(builtFile(import.meta.url.replace('/test/', '/src/'), 'raw-socket-transport').href)};
      const address = Uint8Array.of(127, 0, 6, 1);
      const options = { address, identifier: 1, dscp: 0, payloadBytes: 64, clock: null };
      console.log((await openRawSocketTransport(options)).errno);`;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      uid: 65_534,
      gid: 65_534,
      encoding: 'utf8',
    });
    expect({ out: run.stdout.trim(), err: run.stderr }).toEqual({ out: String(EPERM), err: '' });
  });
});

describe('the errno of a failed call', () => {
  it.each([
    [Object.assign(new Error(), { code: 'ENETUNREACH', errno: -51 }), 101],
    [Object.assign(new Error(), { code: 'EBADMSG', errno: -74 }), 74],
    [Object.assign(new Error(), { code: 'UNKNOWN', errno: -4094 }), 5],
    [new Error('no number at all'), 5],
  ])('is that of Linux for %o', (error, errno) => {
    expect(errnoOfNodeError(error)).toBe(errno);
  });

  it.each([
    ['Operation not permitted', 1],
    ['Permission denied', 13],
    ['Network is unreachable', 101],
    ['No route to host', 113],
    ['No buffer space available', 105],
    ['Message too long', 90],
    ["Can't assign requested address", 99],
    ['Something new', 5],
  ])('is read off strerror: %s', (sentence, errno) => {
    expect(errnoOfSentence(new Error(sentence))).toBe(errno);
  });
});

describe('the choice of transport', () => {
  it('is the portable one where it is asked for, with the reason', async () => {
    const measuring = await chooseMeasuring('portable');
    expect(measuring).toMatchObject({ reason: 'configured', clock: expect.any(PortableClock) });
  });

  it.skipIf(process.platform !== 'linux')('is the kernel where it is to be had (needs Linux)', async () => {
    for (const wanted of ['auto', 'kernel'] as const) {
      expect(await chooseMeasuring(wanted)).toMatchObject({ reason: null, explanation: null });
    }
  });
});
