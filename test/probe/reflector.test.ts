/** The reflecting thread as a peer sees it: real packets, read octet by octet, from provisioned and from strange senders. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseIp } from '../../src/linux/ip-text.ts';
import { startPortableReflecting } from '../../src/probe/portable-probing.ts';
import { type Reflecting, startReflecting } from '../../src/probe/probing.ts';

const SENDER = '127.0.4.1';
const STRANGER = '127.0.4.9';
const REFLECTOR = '127.0.4.2';
const PORT = 18_862;
const SENDER_PORT = 18_621;
const SSID = 0x0021;
const PLAN = {
  port: PORT,
  mode: 'stateful' as const,
  windowS: 60,
  packetsPerSecond: 1000,
  permittedDscp: [],
  followUp: false,
};
const NTP_UNIX_OFFSET_S = 2_208_988_800;

const KERNEL = { by: 'the kernel (needs Linux)', start: startReflecting, senderTtl: 64 };
/** node:dgram does not tell the TTL: 255 says so (RFC 5357 section 4.2). */
const PORTABLE = { by: 'node:dgram', start: startPortableReflecting, senderTtl: 255 };
const REFLECTORS = process.platform === 'linux' ? [KERNEL, PORTABLE] : [PORTABLE];

describe.each(REFLECTORS)('reflector by $by', ({ start, senderTtl }) => {
  let reflecting: Reflecting;
  let sender: Socket;
  let stranger: Socket;

  beforeEach(async () => {
    const sessions = [
      { address: parseIp(SENDER), port: SENDER_PORT, ssid: SSID, keys: [] },
      { address: parseIp(SENDER), port: SENDER_PORT, ssid: SSID + 1, keys: [] },
    ];
    reflecting = await start({ ...PLAN, addresses: [parseIp(REFLECTOR)], sessions }, (error) => {
      throw error;
    });
    sender = await socketOn(SENDER, SENDER_PORT);
    stranger = await socketOn(STRANGER, 0);
  });

  afterEach(async () => {
    sender.close();
    stranger.close();
    await reflecting.stop();
  });

  it('answers a provisioned session with the fields of RFC 8762 figure 5', async () => {
    const request = packet({ sequence: 77, ssid: SSID, t1: 'e8fe6f8080000000', estimate: 0x8f84 });
    const beforeMs = Date.now();
    const reply = await ask(sender, request);
    expect(reply).toHaveLength(44);
    expect(reply.readUInt32BE(0)).toBe(0);
    expect(reply.readUInt16BE(14)).toBe(SSID);
    expect(reply.readUInt32BE(24)).toBe(77);
    expect(reply.subarray(28, 38).toString('hex')).toBe('e8fe6f80800000008f84');
    expect(reply.readUInt16BE(38)).toBe(0);
    expect(reply.readUInt8(40)).toBe(senderTtl);
    expect(reply.subarray(41).toString('hex')).toBe('000000');
    const [t2, t3] = [ntpMs(reply, 16), ntpMs(reply, 4)];
    expect(t2).toBeGreaterThanOrEqual(beforeMs - 1);
    expect(t3).toBeGreaterThanOrEqual(t2);
    expect(t3).toBeLessThanOrEqual(Date.now() + 1);
    expect(reply.readUInt8(13), 'Multiplier').not.toBe(0);
    expect(reply.readUInt8(12) & 0x80, 'S: nobody vouches for this clock').toBe(0);
  });

  it('counts its replies per session', async () => {
    const numbers: number[] = [];
    for (const ssid of [SSID, SSID, SSID + 1, SSID]) {
      numbers.push((await ask(sender, packet({ sequence: 5, ssid }))).readUInt32BE(0));
    }
    expect(numbers).toEqual([0, 1, 0, 2]);
    // The last reply is on its way before it is counted.
    await expect.poll(() => tallied(reflecting, 0)).toEqual({ received: 3, replied: 3 });
    expect(tallied(reflecting, 1)).toEqual({ received: 1, replied: 1 });
  });

  it('says up to when it has counted everything, also while nothing comes', async () => {
    const beganS = Math.floor(Date.now() / 1000);
    await expect.poll(() => reflecting.tally.horizonS(), { timeout: 10_000 }).toBeGreaterThan(beganS);
  });

  it('answers in the size it was asked in: U cleared where it understands, octets as they came where not', async () => {
    // Extra Padding, then type 10 (Return Path), which is never acted on.
    const tlvs = Buffer.from('800100081122334455667788800a000400000001', 'hex');
    const reply = await ask(sender, Buffer.concat([packet({ sequence: 1, ssid: SSID }), tlvs]));
    expect(reply.subarray(44).toString('hex')).toBe('000100081122334455667788800a000400000001');
  });

  it('does not answer whom it does not know, and counts why', async () => {
    const answered: Buffer[] = [];
    stranger.on('message', (octets) => answered.push(octets));
    const otherPort = await socketOn(SENDER, 0);
    otherPort.on('message', (octets) => answered.push(octets));
    stranger.send(packet({ sequence: 1, ssid: SSID }), PORT, REFLECTOR);
    otherPort.send(packet({ sequence: 1, ssid: SSID }), PORT, REFLECTOR);
    sender.send(packet({ sequence: 1, ssid: SSID + 7 }), PORT, REFLECTOR);
    sender.send(packet({ sequence: 1, ssid: SSID }).subarray(0, 43), PORT, REFLECTOR);
    sender.send(Buffer.concat([packet({ sequence: 1, ssid: SSID }), Buffer.alloc(1500)]), PORT, REFLECTOR);
    sender.send(packet({ sequence: 1, ssid: SSID, t1: 'e8fe6f80ffffffff', estimate: 0x4001 }), PORT, REFLECTOR);
    // The reflector answers in order: once this one is answered, the others have been judged.
    const reply = await ask(sender, packet({ sequence: 9, ssid: SSID }));
    expect(reply.readUInt32BE(24)).toBe(9);
    expect(answered).toEqual([]);
    // The reply is on its way before it is counted.
    await expect.poll(() => reflecting.counters.get('reflected')).toBe(1);
    const counts = Object.fromEntries(reflecting.counters.names.map((name) => [name, reflecting.counters.get(name)]));
    expect(counts).toEqual({
      reflected: 1,
      drop_unknown_sender: 1,
      drop_unknown_session: 2,
      drop_short: 1,
      drop_too_long: 1,
      drop_bad_timestamp: 1,
      drop_bad_mac: 0,
      drop_rate_limited: 0,
      drop_not_sent: 0,
      drop_socket_full: 0,
      tlvs_malformed: 0,
      tlvs_bad_mac: 0,
      window_closed: 0,
      // As many as arrived before the kernel's work queue had switched stamping on.
      receive_stamp_missing: expect.any(Number),
    });
    otherPort.close();
  });

  it('survives any octets, answers a stranger never, and a known sender never with more than it sent', async () => {
    const answered: number[] = [];
    stranger.on('message', (octets) => answered.push(octets.length));
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 1600 }), async (octets) => {
        stranger.send(octets, PORT, REFLECTOR);
        const provisioned = Buffer.concat([packet({ sequence: 3, ssid: SSID }), octets.subarray(0, 1400)]);
        const reply = await ask(sender, provisioned);
        expect(reply).toHaveLength(provisioned.length);
      }),
      { numRuns: 300 },
    );
    expect(answered).toEqual([]);
  });
});

describe('a reflector that cannot open its port', () => {
  it('says which address and port, and why', async ({ skip }) => {
    if (process.platform !== 'linux') skip('needs Linux');
    const plan = { ...PLAN, addresses: [parseIp('198.51.100.1')], sessions: [] };
    await expect(startReflecting(plan, () => undefined)).rejects.toThrow(
      /bind to 198\.51\.100\.1 port 18862.*EADDRNOTAVAIL/,
    );
  });
});

/** A session's counts of this window and the one before, which may have ended during the test. */
function tallied({ tally }: Reflecting, session: number): { received: number; replied: number } {
  const nowS = Math.floor(Date.now() / 1000);
  const windows = [nowS, nowS - PLAN.windowS].map((second) => tally.read(session, second));
  const sum = { received: 0, replied: 0 };
  for (const counts of windows) {
    sum.received += counts?.received ?? 0;
    sum.replied += counts?.replied ?? 0;
  }
  return sum;
}

async function socketOn(address: string, port: number): Promise<Socket> {
  const socket = createSocket('udp4').bind(port, address);
  await once(socket, 'listening');
  return socket;
}

function packet(fields: { sequence: number; ssid: number; t1?: string; estimate?: number }): Buffer {
  const octets = Buffer.alloc(44);
  octets.writeUInt32BE(fields.sequence, 0);
  Buffer.from(fields.t1 ?? 'e8fe6f8080000000', 'hex').copy(octets, 4);
  octets.writeUInt16BE(fields.estimate ?? 0x8f84, 12);
  octets.writeUInt16BE(fields.ssid, 14);
  return octets;
}

async function ask(socket: Socket, request: Uint8Array): Promise<Buffer> {
  const answer = once(socket, 'message') as Promise<[Buffer]>;
  socket.send(request, PORT, REFLECTOR);
  return (await answer)[0];
}

function ntpMs(octets: Buffer, offset: number): number {
  return (octets.readUInt32BE(offset) - NTP_UNIX_OFFSET_S) * 1000 + (octets.readUInt32BE(offset + 4) * 1000) / 2 ** 32;
}
