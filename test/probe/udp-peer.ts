/** A peer's UDP ports on a real address: one that echoes every datagram, and one that nobody listens on. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { familyOf, type IpAddress } from '../../src/base/ip-address.ts';
import { formatIp } from '../../src/linux/ip-text.ts';
import type { Bench } from './transport-contract.ts';

/** What a peer gives the contract's bench; `close` ends the echo. */
export interface UdpPeer {
  readonly echoing: Bench['echoing'];
  readonly closed: NonNullable<Bench['closed']>;
  close(): Promise<void>;
}

/** Opens both ports on `address`; the closed one was bound for a moment, so that it is nobody else's. */
export async function openUdpPeer(address: IpAddress): Promise<UdpPeer> {
  const type = familyOf(address) === 'ipv4' ? 'udp4' : 'udp6';
  const echo = createSocket(type);
  echo.on('message', (octets, from) => echo.send(octets, from.port, from.address));
  echo.bind(0, formatIp(address));
  await once(echo, 'listening');
  const unused = createSocket(type).bind(0, formatIp(address));
  await once(unused, 'listening');
  const closedPort = unused.address().port;
  unused.close();
  return {
    echoing: { address, port: echo.address().port },
    closed: { address, port: closedPort },
    close: async () => {
      echo.close();
      await once(echo, 'close');
    },
  };
}
