/** The clock's state from kernel, chronyd and systemd-timesyncd: who is asked, and what of it is believed. */

import { spawnSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ClockState, UNKNOWN_CLOCK } from '../../src/linux/clock-state.ts';
import { ClockStateReader } from '../../src/linux/clock-state-reader.ts';
import { Chronyd, chronydMissing, freePort } from './chronyd.ts';

const EXACT: ClockState = { synchronised: true, offsetNs: 5, maxErrorNs: 2000, source: 'adjtimex' };
const BOUNDLESS: ClockState = { ...EXACT, maxErrorNs: null };
const UNSYNCHRONISED: ClockState = { synchronised: false, offsetNs: null, maxErrorNs: null, source: 'adjtimex' };

let folder: string;
let closing: (() => Promise<void>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popprobe-timesync-'));
});

afterEach(async () => {
  for (const close of closing) await close();
  closing = [];
  await rm(folder, { recursive: true });
});

/** A reader of this kernel's word, and of what listens on a port and lies in a folder. */
function readerOf(kernel: ClockState | null, chronyPort: number, timesyncdFolder = join(folder, 'absent')) {
  return new ClockStateReader({ kernel: () => kernel, chronyPort, timesyncdFolder });
}

/** A program in chronyd's place; `answer` makes of a request what it sends back, null for nothing. */
async function impostor(answer: (request: Buffer) => Buffer | null): Promise<number> {
  const socket: Socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.on('message', (request, { port, address }) => {
    const reply = answer(request);
    if (reply) socket.send(reply, port, address);
  });
  closing.push(async () => {
    socket.close();
    await once(socket, 'close');
  });
  return socket.address().port;
}

/** A chronyd that follows a server, by these options of its `server` line. Returns its command port. */
async function follower(options: string): Promise<number> {
  const chronyd = await Chronyd.create();
  closing.push(() => chronyd.stop());
  const serverPort = await freePort();
  const commandPort = await freePort();
  const server = ['local stratum 3', `port ${serverPort}`, 'allow 127.0.0.1', 'cmdport 0'];
  await chronyd.start(server, 'Disabled control of system clock');
  const client = [`server 127.0.0.1 port ${serverPort} iburst minpoll -2 maxpoll -2 ${options}`, 'port 0'];
  await chronyd.start([...client, `cmdport ${commandPort}`], 'Selected source');
  return commandPort;
}

describe('the clock state', () => {
  it("is the kernel's where it states all there is to say", async () => {
    const port = await freePort();
    expect(await readerOf(EXACT, port).read()).toEqual(EXACT);
    expect(await readerOf(UNSYNCHRONISED, port).read()).toEqual(UNSYNCHRONISED);
  });

  it("stays the kernel's when it states no bound and nobody knows one", async () => {
    expect(await readerOf(BOUNDLESS, await freePort()).read()).toEqual(BOUNDLESS);
  });

  it('is unknown where the kernel refuses and neither daemon runs', async () => {
    expect(await readerOf(null, await freePort()).read()).toEqual(UNKNOWN_CLOCK);
  });

  it("is systemd-timesyncd's where the kernel refuses and no chronyd answers", async () => {
    const reader = readerOf(null, await freePort(), folder);
    const state = { synchronised: false, offsetNs: null, maxErrorNs: null, source: 'timesyncd' };
    expect(await reader.read()).toEqual(state);
    await writeFile(join(folder, 'synchronized'), '');
    expect(await reader.read()).toEqual({ ...state, synchronised: true });
    await rm(join(folder, 'synchronized'));
    expect(await reader.read()).toEqual(state);
  });

  it.each([
    { name: 'says nothing', answer: () => null },
    { name: 'says nothing of use', answer: () => Buffer.from('hello') },
    { name: 'says an empty word', answer: () => Buffer.alloc(0) },
    { name: 'sends the question back', answer: (request: Buffer) => request },
    { name: 'sends more than a datagram should hold', answer: () => Buffer.alloc(60_000, 6) },
  ])('is unknown when what listens in place of chronyd $name', async ({ answer }) => {
    expect(await readerOf(null, await impostor(answer)).read()).toEqual(UNKNOWN_CLOCK);
  });
});

describe.skipIf(chronydMissing() !== null)(
  `the clock state with a chronyd (${chronydMissing() ?? 'installed'})`,
  () => {
    it("is chronyd's where the kernel refuses", async () => {
      // The server's clock seems 0.1 s ahead, and -x keeps the client from following: its own stays 0.1 s behind.
      const port = await follower('offset 0.1');
      const state = await readerOf(null, port).read();
      const printed = spawnSync('chronyc', ['-h', '127.0.0.1', '-p', String(port), '-n', 'tracking'], {
        encoding: 'utf8',
      });
      const system = /System time +: (?<seconds>[\d.]+) seconds slow/.exec(printed.stdout)?.groups?.['seconds'];
      expect(state).toMatchObject({ synchronised: true, source: 'chrony' });
      expect(state.offsetNs).toBeLessThan(-99_000_000);
      expect(Number(system) * 1e9 + (state.offsetNs ?? 0)).toBeCloseTo(0, -6);
      expect(state.maxErrorNs).toBeGreaterThan(-(state.offsetNs ?? 0));
      // Of a kernel that says "synchronised" and no more, chronyd gives the bound; it overrules no kernel that says "not".
      expect(await readerOf(BOUNDLESS, port).read()).toMatchObject({ source: 'chrony' });
      expect(await readerOf(UNSYNCHRONISED, port).read()).toEqual(UNSYNCHRONISED);
    });

    it('is not synchronised by a chronyd that has no server', async () => {
      const chronyd = await Chronyd.create();
      closing.push(() => chronyd.stop());
      const port = await freePort();
      await chronyd.start(['local stratum 3', 'port 0', `cmdport ${port}`], 'Disabled control of system clock');
      const state = { synchronised: false, offsetNs: null, maxErrorNs: null, source: 'chrony' };
      // It logs nothing more once its command port is open.
      await vi.waitUntil(async () => (await readerOf(null, port).read()).source !== 'none', 10_000);
      expect(await readerOf(null, port).read()).toEqual(state);
      expect(await readerOf(BOUNDLESS, port).read()).toEqual(BOUNDLESS);
    });
  },
);
