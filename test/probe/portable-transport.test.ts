/** The transport contract for Node.js' own sockets, and what is theirs alone: a bounded queue, nothing of other people's. */

import { createSocket } from 'node:dgram';
import { setImmediate } from 'node:timers/promises';
import { AddressFamily, createChecksum, createSocket as createRawSocket, writeChecksum } from 'raw-socket';
import { describe, expect, it, vi } from 'vitest';
import { familyOf, type IpAddress } from '../../src/base/ip-address.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { formatIp, parseIp } from '../../src/linux/ip-text.ts';
import { endpointOf } from '../../src/linux/sockaddr.ts';
import { openDgramTransport } from '../../src/probe/dgram-transport.ts';
import { PortableClock } from '../../src/probe/portable-clock.ts';
import { openRawSocketTransport, type RawSocketTransport } from '../../src/probe/raw-socket-transport.ts';
import type { Transport, TransportEvents } from '../../src/probe/transport.ts';
import { blankEchoProbe, decodeEchoReply, encodeEchoRequest, ICMP_HEADER_BYTES } from '../../src/wire/icmp-echo.ts';
import { rootMissing } from '../linux/privileges.ts';
import { type Bench, transportContract } from './transport-contract.ts';
import { openUdpPeer } from './udp-peer.ts';

const LOCAL = parseIp('127.0.5.1');
const PEER = parseIp('127.0.5.2');
const LOOPBACK_V6 = parseIp('::1');
/** The broadcast address of the loopback network: not to be sent to by whoever did not ask for it, whatever the routes. */
const BROADCAST = parseIp('127.255.255.255');
const DEADLINE = { timeout: 10_000 };
const EACCES = 13;
const IDENTIFIER = 0x7abd;
const SESSION = 0x1357_9bdf;
const MESSAGE_BYTES = ICMP_HEADER_BYTES + 64;

async function udpBench(local: IpAddress, peer: IpAddress): Promise<Bench> {
  const remote = await openUdpPeer(peer);
  const clock = new PortableClock();
  const transport = await openDgramTransport({ address: local, port: 0, payloadBytes: 256, clock });
  return {
    transport,
    clock,
    echoing: remote.echoing,
    closed: remote.closed,
    forbidden: familyOf(peer) === 'ipv4' ? { address: BROADCAST, port: 9, errno: EACCES } : null,
    stamps: false,
    answersAtOnce: false,
    tells: { ttl: false, icmpErrors: false },
    write: (view, offset, number) => (view.setUint32(offset, number), 64),
    numberOf: (datagram) => datagram.view.getUint32(datagram.offset),
    settle: () => undefined,
    close: async () => {
      transport.close();
      await remote.close();
    },
  };
}

async function openIcmp(
  address: IpAddress,
  clock: PortableClock,
  identifier = IDENTIFIER,
): Promise<RawSocketTransport> {
  const opened = await openRawSocketTransport({ address, identifier, dscp: 0, payloadBytes: MESSAGE_BYTES, clock });
  if ('errno' in opened) throw new Error(`cannot open raw-socket: errno ${opened.errno}`);
  return opened;
}

async function icmpBench(): Promise<Bench> {
  const clock = new PortableClock();
  const transport = await openIcmp(LOCAL, clock);
  const probe = { ...blankEchoProbe(), identifier: IDENTIFIER, session: SESSION };
  return {
    transport,
    clock,
    echoing: { address: PEER, port: 0 },
    closed: null,
    forbidden: { address: BROADCAST, port: 0, errno: EACCES },
    stamps: false,
    answersAtOnce: true,
    tells: { ttl: true, icmpErrors: true },
    write(view, offset, number) {
      encodeEchoRequest(view, offset, 64, { ...probe, sequence: number });
      return MESSAGE_BYTES;
    },
    numberOf(datagram) {
      const into = blankEchoProbe();
      expect(decodeEchoReply(datagram.view, datagram.offset, datagram.length, SESSION, into)).toBe('ok');
      return into.sequence;
    },
    settle: () => undefined,
    close: async () => transport.close(),
  };
}

/** Writes RFC 4443 section 4.1 by hand; the kernel of a raw ICMPv6 socket computes the checksum. */
async function icmpV6Bench(): Promise<Bench> {
  const clock = new PortableClock();
  const transport = await openIcmp(LOOPBACK_V6, clock);
  return {
    transport,
    clock,
    echoing: { address: LOOPBACK_V6, port: 0 },
    closed: null,
    forbidden: null,
    stamps: false,
    answersAtOnce: true,
    tells: { ttl: false, icmpErrors: true },
    write(view, offset, number) {
      view.setUint16(offset, 128 << 8);
      view.setUint16(offset + 4, IDENTIFIER);
      view.setUint16(offset + 6, number);
      return MESSAGE_BYTES;
    },
    numberOf(datagram) {
      expect(datagram.view.getUint16(datagram.offset)).toBe(129 << 8);
      return datagram.view.getUint16(datagram.offset + 6);
    },
    settle: () => undefined,
    close: async () => transport.close(),
  };
}

/** Hears everything and does nothing. */
const SILENT: TransportEvents = {
  onSent: () => undefined,
  onRefused: () => undefined,
  onTxStamp: () => undefined,
  onRead: () => undefined,
  onDatagram: () => undefined,
  onIcmpError: () => undefined,
};

transportContract('node:dgram', () => udpBench(LOCAL, PEER));
transportContract('node:dgram over IPv6', () => udpBench(LOOPBACK_V6, LOOPBACK_V6));

describe.skipIf(rootMissing())(`ICMP by raw-socket (${rootMissing() ?? 'as root'})`, () => {
  transportContract('raw-socket', icmpBench);
  transportContract('raw-socket over IPv6', icmpV6Bench);

  it('tells which probe an ICMP error is about, where it was going and who says so', async () => {
    const transport = await openIcmp(LOCAL, new PortableClock());
    const router = createRawSocket({ protocol: 1, addressFamily: AddressFamily.IPv4, bufferSize: 256 });
    // RFC 792: host unreachable, quoting an IPv4 header to 198.51.100.7 and the first octets of our request.
    const quoted = '450000240000400001010000 7f000501c6336407 080070707abd0001506f5070';
    const error = Buffer.from(`0301000000000000${quoted.replaceAll(' ', '')}`, 'hex');
    writeChecksum(error, 2, createChecksum(error));
    router.wrap.send(error, 0, error.length, formatIp(LOCAL), () => undefined);
    const errors: unknown[] = [];
    const onIcmpError: TransportEvents['onIcmpError'] = ({ view, offset, length, source }, { offender, ...error_ }) =>
      errors.push({
        ...error_,
        quoted: Buffer.from(view.buffer, offset, length).toString('hex'),
        to: formatIp(source.address, source.addressBytes),
        from: formatIp(offender.address, offender.addressBytes),
      });
    await vi.waitFor(() => {
      transport.receive({ ...SILENT, onIcmpError });
      expect(errors).toEqual([
        { errno: 113, type: 3, code: 1, quoted: '080070707abd0001506f5070', to: '198.51.100.7', from: '127.0.0.1' },
      ]);
    }, DEADLINE);
    router.close();
    transport.close();
  });

  it('hands out no reply to another identifier, which other sockets of this host have', async () => {
    const clock = new PortableClock();
    const [ours, others] = [await openIcmp(LOCAL, clock), await openIcmp(LOCAL, clock, IDENTIFIER + 1)];
    const probe = { ...blankEchoProbe(), session: SESSION };
    encodeEchoRequest(ours.outgoing.arena.view, 0, 64, { ...probe, identifier: IDENTIFIER, sequence: 1 });
    encodeEchoRequest(others.outgoing.arena.view, 0, 64, { ...probe, identifier: IDENTIFIER + 1, sequence: 2 });
    const [heard, othersHeard] = [listener(), listener()];
    for (const transport of [others, ours]) transport.prepare(0, MESSAGE_BYTES, endpointOf(PEER, 0));
    others.send(1, Int32Array.of(2), othersHeard.events);
    ours.send(1, Int32Array.of(1), heard.events);
    await expect
      .poll(() => {
        ours.receive(heard.events);
        others.receive(othersHeard.events);
        return [heard.sequences, othersHeard.sequences];
      }, DEADLINE)
      .toEqual([[1], [2]]);
    ours.close();
    others.close();
  });
});

describe('the queue of a portable transport', () => {
  it('keeps what fits until it is read, and counts what does not', async () => {
    const bench = await udpBench(LOCAL, PEER);
    const transport = bench.transport as Transport & { port: number };
    const sender = createSocket('udp4');
    const extra = 5;
    for (let sent = 0; sent < LIMITS.portableQueueDatagrams + extra; sent += 1) {
      await new Promise((resolve) => sender.send('x', transport.port, formatIp(LOCAL), resolve));
      await setImmediate();
    }
    await expect.poll(() => transport.readDrops(), DEADLINE).toBe(extra);
    let received = 0;
    transport.receive({ ...SILENT, onDatagram: () => (received += 1) });
    expect(received).toBe(LIMITS.portableQueueDatagrams);
    sender.close();
    await bench.close();
  });
});

describe('a portable transport that cannot open its port', () => {
  it('says which address and port, and why', async () => {
    const clock = new PortableClock();
    const first = await openDgramTransport({ address: LOCAL, port: 0, payloadBytes: 64, clock });
    await expect(openDgramTransport({ address: LOCAL, port: first.port, payloadBytes: 64, clock })).rejects.toThrow(
      /bind to 127\.0\.5\.1 port \d+.*EADDRINUSE \(98\)/,
    );
    first.close();
  });
});

/** Collects the probe sequences of the replies it is told of. */
function listener(): { sequences: number[]; events: TransportEvents } {
  const sequences: number[] = [];
  const onDatagram: TransportEvents['onDatagram'] = ({ view, offset }) =>
    void sequences.push(view.getUint32(offset + 20));
  return { sequences, events: { ...SILENT, onDatagram } };
}
