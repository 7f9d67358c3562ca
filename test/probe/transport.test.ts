/** The transport contract for each transport there is. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { familyOf, type IpAddress } from '../../src/base/ip-address.ts';
import { formatIp, parseIp } from '../../src/linux/ip-text.ts';
import { type SocketKind, tryOpenSocket } from '../../src/linux/socket.ts';
import { SystemClock } from '../../src/linux/system-clock.ts';
import { TimestampingSocket } from '../../src/linux/timestamping-socket.ts';
import { KernelTransport } from '../../src/probe/kernel-transport.ts';
import type { TransportEvents } from '../../src/probe/transport.ts';
import { RefusingTransport } from '../../src/probe/refusing-transport.ts';
import { blankEchoProbe, decodeEchoReply, encodeEchoRequest, ICMP_HEADER_BYTES } from '../../src/wire/icmp-echo.ts';
import { permitPingSockets, rootMissing } from '../linux/privileges.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryNetwork } from './memory-network.ts';
import { type Bench, transportContract } from './transport-contract.ts';
import { openUdpPeer } from './udp-peer.ts';

const LOCAL = parseIp('127.0.3.1');
const PEER = parseIp('127.0.3.2');
const BROADCAST = parseIp('255.255.255.255');
const LOOPBACK_V6 = parseIp('::1');
const EACCES = 13;
const IDENTIFIER = 0x7abc;
const SESSION = 0x1357_9bdf;

const NOBODY: TransportEvents = {
  onRead: () => undefined,
  onSent: () => undefined,
  onRefused: () => undefined,
  onTxStamp: () => undefined,
  onDatagram: () => undefined,
  onIcmpError: () => undefined,
};

/** As in SocketOptions, or what the product does. */
type TxKeys = 'named' | 'counted' | 'default';

function openSocket(kind: SocketKind, port: number, keys: TxKeys, address: IpAddress = LOCAL): TimestampingSocket {
  const fd = tryOpenSocket(kind, familyOf(address));
  if (fd < 0) throw new Error(`cannot open ${kind}: errno ${-fd}`);
  const options = { kind, address, port, dscp: 0, payloadBytes: 256, txStamps: true };
  return new TimestampingSocket(fd, keys === 'default' ? options : { ...options, txKeys: keys });
}

async function udpBench(txKeys: TxKeys, local: IpAddress = LOCAL, peer: IpAddress = PEER): Promise<Bench> {
  const remote = await openUdpPeer(peer);
  const transport = new KernelTransport(openSocket('udp', 0, txKeys, local));
  return {
    transport,
    clock: new SystemClock(),
    echoing: remote.echoing,
    closed: remote.closed,
    forbidden: familyOf(peer) === 'ipv4' ? { address: BROADCAST, port: 9, errno: EACCES } : null,
    stamps: true,
    answersAtOnce: true,
    tells: { ttl: true, icmpErrors: true },
    write: (view, offset, number) => (view.setUint32(offset, number), 64),
    numberOf: (datagram) => datagram.view.getUint32(datagram.offset),
    settle: () => undefined,
    close: async () => {
      transport.close();
      await remote.close();
    },
  };
}

async function icmpBench(kind: 'icmp_raw' | 'icmp_ping', txKeys: TxKeys): Promise<Bench> {
  const transport = new KernelTransport(openSocket(kind, IDENTIFIER, txKeys));
  // Before it was bound and filtered it heard every echo reply of this host, other tests' too.
  transport.receive(NOBODY);
  const probe = { ...blankEchoProbe(), identifier: IDENTIFIER, session: SESSION };
  return {
    transport,
    clock: new SystemClock(),
    echoing: { address: PEER, port: 0 },
    closed: null,
    forbidden: { address: BROADCAST, port: 0, errno: EACCES },
    stamps: true,
    answersAtOnce: true,
    tells: { ttl: true, icmpErrors: true },
    write(view, offset, number) {
      encodeEchoRequest(view, offset, 64, { ...probe, sequence: number });
      return ICMP_HEADER_BYTES + 64;
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

async function memoryBench(): Promise<Bench> {
  const clock = new FakeClock();
  const transport = new MemoryNetwork(clock, {
    refuse: (packet) => (formatIp(packet.address) === formatIp(BROADCAST) ? EACCES : 0),
    replies: ({ octets, address, port }) => [{ afterNs: 1000, octets, address, port }],
  });
  return {
    transport,
    clock,
    echoing: { address: PEER, port: 7 },
    closed: null,
    forbidden: { address: BROADCAST, port: 9, errno: EACCES },
    stamps: true,
    answersAtOnce: true,
    tells: { ttl: true, icmpErrors: true },
    write: (view, offset, number) => (view.setUint32(offset, number), 64),
    numberOf: (datagram) => datagram.view.getUint32(datagram.offset),
    settle() {
      clock.advance(1000);
      clock.read();
    },
    close: async () => transport.close(),
  };
}

transportContract('memory', memoryBench);

describe.skipIf(process.platform !== 'linux')('UDP in the kernel (needs Linux)', () => {
  transportContract('kernel udp, keys counted until something is refused', () => udpBench('default'));
  transportContract('kernel udp, keys named by us', () => udpBench('named'));
  transportContract('kernel udp, keys counted by the kernel', () => udpBench('counted'));
  transportContract('kernel udp over IPv6', () => udpBench('default', LOOPBACK_V6, LOOPBACK_V6));
});

describe.skipIf(rootMissing())(`ICMP in the kernel (${rootMissing() ?? 'as root'})`, () => {
  let restore: () => void;
  beforeAll(() => {
    restore = permitPingSockets();
  });
  afterAll(() => restore());
  transportContract('kernel icmp_raw, keys counted until something is refused', () => icmpBench('icmp_raw', 'default'));
  transportContract('kernel icmp_raw, keys named by us', () => icmpBench('icmp_raw', 'named'));
  transportContract('kernel icmp_raw, keys counted by the kernel', () => icmpBench('icmp_raw', 'counted'));
  transportContract('kernel icmp_ping', () => icmpBench('icmp_ping', 'default'));
});

describe('the transport of a forbidden probe class', () => {
  it('refuses every packet with the errno that says why', () => {
    const transport = new RefusingTransport(EACCES, 4, 64);
    const refused: number[][] = [];
    const events = { onRefused: (cookie: number, errno: number) => refused.push([cookie, errno]) };
    transport.send(2, Int32Array.of(7, 8), events as unknown as Parameters<typeof transport.send>[2]);
    expect(refused).toEqual([
      [7, EACCES],
      [8, EACCES],
    ]);
  });
});
