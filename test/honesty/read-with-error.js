/** Sends to a peer that an ICMP error comes back for, and to itself; reads without looking at the error first. */
/// <reference types="node" />

import { parseIp } from '../../dist/linux/ip-text.js';
import { endpointOf } from '../../dist/linux/sockaddr.js';
import { tryOpenSocket } from '../../dist/linux/socket.js';
import { TimestampingSocket } from '../../dist/linux/timestamping-socket.js';

const PORT = 20_100;
const ROUNDS = 20;

const [local, bad] = process.argv.slice(2).map(parseIp);
const options = { kind: 'udp', address: local, port: PORT, dscp: 0, payloadBytes: 64, txStamps: true };
const socket = new TimestampingSocket(tryOpenSocket('udp', 'ipv6'), options);
const errnos = new Set();
const heard = { errors: 0, received: 0 };
const events = {
  onRead: () => undefined,
  onTxStamp: () => undefined,
  onDatagram() {
    heard.received += 1;
  },
  onIcmpError(_, { errno }) {
    heard.errors += 1;
    errnos.add(errno);
  },
};

for (let round = 1; round <= ROUNDS; round += 1) {
  socket.prepare(0, 44, endpointOf(local, PORT));
  socket.prepare(1, 44, endpointOf(bad, PORT));
  socket.send(0, 2, Int32Array.of(0, 1), events);
  // On loopback and veth pairs everything has come back by now, or does so in no time.
  const deadlineMs = Date.now() + 5000;
  while (heard.received < round && Date.now() < deadlineMs) socket.receive(events);
  while (heard.errors < round && Date.now() < deadlineMs) socket.drainErrors(events);
}
process.stdout.write(JSON.stringify({ errnos: [...errnos], ...heard }));
