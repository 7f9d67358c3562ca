/** The transport contract for each transport there is. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseIpv4 } from '../../src/linux/ipv4.ts';
import { type SocketKind, tryOpenSocket } from '../../src/linux/socket.ts';
import { SystemClock } from '../../src/linux/system-clock.ts';
import { TimestampingSocket } from '../../src/linux/timestamping-socket.ts';
import { KernelTransport } from '../../src/probe/kernel-transport.ts';
import { RefusingTransport } from '../../src/probe/refusing-transport.ts';
import { blankEchoProbe, decodeEchoReply, encodeEchoRequest, ICMP_HEADER_BYTES } from '../../src/wire/icmp-echo.ts';
import { permitPingSockets, rootMissing } from '../linux/privileges.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryNetwork } from './memory-network.ts';
import { type Bench, transportContract } from './transport-contract.ts';

const LOCAL = parseIpv4('127.0.3.1');
const PEER = parseIpv4('127.0.3.2');
const BROADCAST = parseIpv4('255.255.255.255');
const EACCES = 13;
const IDENTIFIER = 0x7abc;
const SESSION = 0x1357_9bdf;

function openSocket(kind: SocketKind, port: number, txKeys: 'explicit' | 'counted'): TimestampingSocket {
  const fd = tryOpenSocket(kind);
  if (fd < 0) throw new Error(`cannot open ${kind}: errno ${-fd}`);
  return new TimestampingSocket(fd, { kind, address: LOCAL, port, dscp: 0, payloadBytes: 256, txStamps: true, txKeys });
}

async function udpBench(txKeys: 'explicit' | 'counted'): Promise<Bench> {
  const echo = createSocket('udp4');
  echo.on('message', (octets, from) => echo.send(octets, from.port, from.address));
  echo.bind(0, '127.0.3.2');
  await once(echo, 'listening');
  const unused = createSocket('udp4').bind(0, '127.0.3.2');
  await once(unused, 'listening');
  const closedPort = unused.address().port;
  unused.close();
  const transport = new KernelTransport(openSocket('udp', 0, txKeys));
  return {
    transport,
    clock: new SystemClock(),
    echoing: { address: PEER, port: echo.address().port },
    closed: { address: PEER, port: closedPort },
    forbidden: { address: BROADCAST, port: 9, errno: EACCES },
    stamps: true,
    write: (view, offset, number) => (view.setUint32(offset, number), 64),
    numberOf: (datagram) => datagram.view.getUint32(datagram.offset),
    settle: () => undefined,
    close: async () => {
      transport.close();
      echo.close();
      await once(echo, 'close');
    },
  };
}

async function icmpBench(kind: 'icmp_raw' | 'icmp_ping', txKeys: 'explicit' | 'counted'): Promise<Bench> {
  const transport = new KernelTransport(openSocket(kind, IDENTIFIER, txKeys));
  const probe = { ...blankEchoProbe(), identifier: IDENTIFIER, session: SESSION };
  return {
    transport,
    clock: new SystemClock(),
    echoing: { address: PEER, port: 0 },
    closed: null,
    forbidden: { address: BROADCAST, port: 0, errno: EACCES },
    stamps: true,
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
    refuse: (packet) => (packet.address === BROADCAST ? EACCES : 0),
    replies: ({ octets, address, port }) => [{ afterNs: 1000, octets, address, port }],
  });
  return {
    transport,
    clock,
    echoing: { address: PEER, port: 7 },
    closed: null,
    forbidden: { address: BROADCAST, port: 9, errno: EACCES },
    stamps: true,
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
  transportContract('kernel udp, keys chosen by us', () => udpBench('explicit'));
  transportContract('kernel udp, keys counted by the kernel', () => udpBench('counted'));
});

describe.skipIf(rootMissing())(`ICMP in the kernel (${rootMissing() ?? 'as root'})`, () => {
  let restore: () => void;
  beforeAll(() => {
    restore = permitPingSockets();
  });
  afterAll(() => restore());
  transportContract('kernel icmp_raw, keys chosen by us', () => icmpBench('icmp_raw', 'explicit'));
  transportContract('kernel icmp_raw, keys counted by the kernel', () => icmpBench('icmp_raw', 'counted'));
  transportContract('kernel icmp_ping', () => icmpBench('icmp_ping', 'explicit'));
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
