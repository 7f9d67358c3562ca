/** Session-Sender and Session-Reflector threads with one another and with TWAMP Light, over the kernel's loopback. */

import { createHmac, randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { IpAddress } from '../../src/base/ip-address.ts';
import { parseIp } from '../../src/linux/ip-text.ts';
import type { PathPlan, ProbePlan, ReflectorPlan } from '../../src/probe/plan.ts';
import { type Probing, type Reflecting, startProbing, startReflecting } from '../../src/probe/probing.ts';
import { PATH_WORD, SLOT_FLAG, SLOT_STATE } from '../../src/ring/layout.ts';

const MS = 1e6;
const PORT = 18_863;
const SOURCE_PORT = 18_640;
const SSID = 0x0031;
const KEY = randomBytes(32);
const OLD_KEY = randomBytes(32);
const PROBES = 20;

interface Session {
  local?: string;
  remote?: string;
  path?: Partial<PathPlan>;
  reflector?: Partial<ReflectorPlan>;
  /** Keys of the reflector's side; the path's own where left out. */
  reflectorKeys?: Uint8Array[];
}

const running: { stop(): Promise<void> }[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const part of running.splice(0)) await part.stop();
  for (const socket of sockets.splice(0)) socket.close();
});

function fail(error: unknown): void {
  throw error;
}

function planOf(local: IpAddress, remote: IpAddress, path: Partial<PathPlan> = {}): ProbePlan {
  const full: PathPlan = {
    peer: 'sin1',
    floor: false,
    className: 'stamp',
    kind: 'stamp',
    dscp: 46,
    sizeBytes: 44,
    flow: 0,
    intervalNs: 5 * MS,
    address: remote,
    port: PORT,
    echoPath: 0,
    ssid: SSID,
    keys: [],
    tlvs: [],
    reflector: 'stateful',
    socket: 0,
    capacity: 1024,
    ...path,
  };
  const socket = { kind: 'stamp' as const, address: local, port: SOURCE_PORT, dscp: full.dscp, payloadBytes: 256 };
  return { session: 1, tmaxNs: 3e9, tickNs: MS, schedule: 'periodic', windowS: 60, sockets: [socket], paths: [full] };
}

/** Starts a reflector and a sender that probes it, and waits for some replies. */
async function pair(session: Session = {}): Promise<{ probing: Probing; reflecting: Reflecting }> {
  const local = parseIp(session.local ?? '127.0.5.1');
  const remote = parseIp(session.remote ?? '127.0.5.2');
  const plan = planOf(local, remote, session.path);
  const [path] = plan.paths;
  const keys = session.reflectorKeys ?? path?.keys ?? [];
  const reflecting = await startReflecting(
    {
      addresses: [remote],
      port: PORT,
      sessions: [{ address: local, port: SOURCE_PORT, ssid: path?.ssid ?? 0, keys }],
      mode: 'stateful',
      windowS: 60,
      packetsPerSecond: 1000,
      permittedDscp: [46],
      followUp: true,
      ...session.reflector,
    },
    fail,
  );
  running.push(reflecting);
  const probing = await startProbing(plan, fail);
  running.push(probing);
  return { probing, reflecting };
}

function states(probing: Probing): number[] {
  const { ring } = probing;
  return Array.from({ length: ring.head(0) }, (_, sequence) => ring.views.state[ring.slotOf(0, sequence)] ?? 0);
}

async function replies(probing: Probing): Promise<number[]> {
  const received = (): number[] => states(probing).flatMap((state, at) => (state === SLOT_STATE.received ? [at] : []));
  await expect.poll(() => received().length, { timeout: 10_000 }).toBeGreaterThanOrEqual(PROBES);
  return received().map((sequence) => probing.ring.slotOf(0, sequence));
}

function flagged(probing: Probing, slots: readonly number[], flag: number): number {
  return slots.filter((slot) => ((probing.ring.views.flags[slot] ?? 0) & flag) !== 0).length;
}

describe.skipIf(process.platform !== 'linux')('a STAMP session (needs Linux)', () => {
  it.each([
    ['unauthenticated over IPv4', {}],
    ['unauthenticated over IPv6', { local: '::1', remote: '::1' }],
    ['authenticated', { path: { keys: [KEY], sizeBytes: 112 } }],
    ['larger than the base packet, with Extra Padding', { path: { sizeBytes: 100 } }],
    [
      'authenticated while keys are rotated',
      { path: { keys: [KEY, OLD_KEY], sizeBytes: 112 }, reflectorKeys: [OLD_KEY, KEY] },
    ],
  ] as [string, Session][])('%s: every probe is answered, its TTL read at both ends', async (_, session) => {
    const { probing } = await pair(session);
    const slots = await replies(probing);
    const { views } = probing.ring;
    expect(new Set(slots.map((slot) => views.senderTtl[slot]))).toEqual(new Set([255]));
    expect(new Set(slots.map((slot) => views.replyTtl[slot]))).toEqual(new Set([255]));
    expect(probing.counters.get('reply_bad_mac') + probing.counters.get('reply_unknown_session')).toBe(0);
    const numbers = slots.map((slot) => views.reflectorSequence[slot] ?? -1);
    expect(numbers).toEqual(numbers.map((__, at) => (numbers[0] ?? 0) + at));
  });

  it.each([
    ['unauthenticated', { sizeBytes: 44 + 8 + 16 + 20 + 8 + 48 }],
    ['authenticated', { keys: [KEY], sizeBytes: 112 + 8 + 16 + 20 + 8 + 48 + 20 }],
  ])('carries every TLV there and back, %s', async (_, path) => {
    const tlvs = [
      'class_of_service',
      'direct_measurement',
      'follow_up_telemetry',
      'timestamp_information',
      'location',
    ] as const;
    const { probing, reflecting } = await pair({ path: { ...path, tlvs: [...tlvs] } });
    const slots = await replies(probing);
    expect(probing.counters.get('tlvs_refused')).toBe(0);
    expect(reflecting.counters.get('tlvs_malformed') + reflecting.counters.get('tlvs_bad_mac')).toBe(0);
    // The last reply has nobody to follow it up.
    expect(flagged(probing, slots, SLOT_FLAG.followedUp)).toBeGreaterThanOrEqual(PROBES - 2);
    expect(probing.ring.word(0, PATH_WORD.forwardRemarked)).toBe(0);
    expect(probing.ring.word(0, PATH_WORD.reflectorReceived)).toBeGreaterThanOrEqual(PROBES);
    expect(probing.ring.word(0, PATH_WORD.reflectorSent)).toBe(probing.ring.word(0, PATH_WORD.reflectorReceived));
  });

  it('with another key gets no answer, and the reflector says why', async () => {
    const { probing, reflecting } = await pair({
      path: { keys: [KEY], sizeBytes: 112 },
      reflectorKeys: [randomBytes(32)],
    });
    await expect.poll(() => reflecting.counters.get('drop_bad_mac'), { timeout: 10_000 }).toBeGreaterThan(PROBES);
    expect(states(probing)).not.toContain(SLOT_STATE.received);
    expect(reflecting.counters.get('reflected')).toBe(0);
  });

  it('faster than it may be is answered at its rate, and what was not is counted', async () => {
    const { probing, reflecting } = await pair({ reflector: { packetsPerSecond: 10 } });
    await expect.poll(() => reflecting.counters.get('drop_rate_limited'), { timeout: 10_000 }).toBeGreaterThan(PROBES);
    expect(states(probing)).toContain(SLOT_STATE.received);
  });

  it('with a stateless reflector has the numbers of the requests', async () => {
    const { probing } = await pair({ path: { reflector: 'stateless' }, reflector: { mode: 'stateless' } });
    const slots = await replies(probing);
    const { sequence, reflectorSequence } = probing.ring.views;
    for (const slot of slots) expect(reflectorSequence[slot]).toBe(sequence[slot]);
  });
});

describe.skipIf(process.platform !== 'linux')('TWAMP Light (needs Linux)', () => {
  it('as a reflector: 41 octets, an SSID of 0 and padding that means nothing', async () => {
    const twamp = createSocket('udp4');
    sockets.push(twamp);
    let sequence = 0;
    twamp.on('message', (request, from) => {
      const reply = Buffer.alloc(41, 0xee);
      reply.writeUInt32BE(sequence++, 0);
      request.copy(reply, 4, 4, 14);
      reply.writeUInt16BE(0, 14);
      request.copy(reply, 16, 4, 12);
      request.copy(reply, 24, 0, 14);
      reply.writeUInt8(255, 40);
      twamp.send(reply, from.port, from.address);
    });
    twamp.bind(PORT, '127.0.5.2');
    await once(twamp, 'listening');
    const probing = await startProbing(
      planOf(parseIp('127.0.5.1'), parseIp('127.0.5.2'), { ssid: 0, reflector: 'twamp_light' }),
      fail,
    );
    running.push(probing);
    const slots = await replies(probing);
    expect(slots.map((slot) => probing.ring.views.senderTtl[slot])).toEqual(slots.map(() => 255));
    expect(probing.counters.get('reply_short') + probing.counters.get('reply_unknown_session')).toBe(0);
  });

  it('as a sender of 14 octets is answered with a base packet, and with its own octets beyond that', async () => {
    const reflecting = await startReflecting(
      {
        addresses: [parseIp('127.0.5.2')],
        port: PORT,
        sessions: [{ address: parseIp('127.0.5.1'), port: SOURCE_PORT, ssid: 0, keys: [] }],
        mode: 'stateful',
        windowS: 60,
        packetsPerSecond: 1000,
        permittedDscp: [],
        followUp: false,
      },
      fail,
    );
    running.push(reflecting);
    const sender = createSocket('udp4');
    sockets.push(sender);
    sender.bind(SOURCE_PORT, '127.0.5.1');
    await once(sender, 'listening');
    const ask = async (request: Buffer): Promise<Buffer> => {
      const answered = once(sender, 'message') as Promise<[Buffer]>;
      sender.send(request, PORT, '127.0.5.2');
      return (await answered)[0];
    };
    const head = Buffer.from('00000007e8fe6f80800000008001', 'hex');
    const short = await ask(head);
    expect(short).toHaveLength(44);
    expect(short.readUInt16BE(14)).toBe(0);
    expect(short.subarray(24, 38).toString('hex')).toBe('00000007e8fe6f80800000008001');
    const padded = await ask(Buffer.concat([head, Buffer.alloc(86, 0xab)]));
    expect(padded).toHaveLength(100);
    expect(padded.subarray(44)).toEqual(Buffer.alloc(56, 0xab));
    expect(padded.readUInt32BE(0)).toBe(1);
  });
});

describe.skipIf(process.platform !== 'linux')('the reflector of an authenticated session (needs Linux)', () => {
  it('signs what it sends so that plain node:crypto agrees, and answers no unsigned packet', async () => {
    const { reflecting, probing } = await pair({ path: { keys: [KEY], sizeBytes: 112 } });
    await replies(probing);
    await probing.stop();
    running.splice(running.indexOf(probing), 1);
    const sender = createSocket('udp4');
    sockets.push(sender);
    sender.bind(SOURCE_PORT, '127.0.5.1');
    await once(sender, 'listening');
    const request = Buffer.alloc(112);
    request.writeUInt32BE(5, 0);
    request.write('e8fe6f8080000000', 16, 'hex');
    request.writeUInt16BE(0x8001, 24);
    request.writeUInt16BE(SSID, 26);
    sender.send(Buffer.from(request), PORT, '127.0.5.2');
    createHmac('sha256', KEY).update(request.subarray(0, 96)).digest().copy(request, 96, 0, 16);
    const answered = once(sender, 'message') as Promise<[Buffer]>;
    sender.send(request, PORT, '127.0.5.2');
    const [reply] = await answered;
    expect(reply).toHaveLength(112);
    expect(reply.readUInt32BE(48)).toBe(5);
    const mac = createHmac('sha256', KEY).update(reply.subarray(0, 96)).digest().subarray(0, 16);
    expect(reply.subarray(96)).toEqual(mac);
    expect(reflecting.counters.get('drop_bad_mac')).toBe(1);
  });
});
