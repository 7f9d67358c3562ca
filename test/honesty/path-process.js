/**
 * A far end that does to each probe what a script says: no reply, several, late, out of order, forged, or an ICMP error
 * that quotes no more than RFC 792 asks for. It notes what it has sent, in order. Answers STAMP on a UDP port and ICMP echo on a raw socket; the kernel's own echo must be off.
 */
/// <reference types="node" />

import { createSocket } from 'node:dgram';
import { MSG_DONTWAIT } from '../../dist/linux/constants.js';
import { parseIp } from '../../dist/linux/ip-text.js';
import { libc } from '../../dist/linux/libc.js';
import { MessageBatch } from '../../dist/linux/message-batch.js';
import { bindSocket, tryOpenSocket } from '../../dist/linux/socket.js';
import { readSockaddr, blankEndpoint, endpointOf, writeSockaddr } from '../../dist/linux/sockaddr.js';

const POLL_MS = 1;
const ICMP_HEADER = 8;

let script = [];
let pending = 0;
const log = [];

/** Acts on the probe `sequence` of path `path` as the script says; probes beyond the script get one true reply. */
function act(path, sequence, send) {
  for (const { afterMs, change } of script[path]?.[sequence] ?? [{ afterMs: 0, change: 'none' }]) {
    pending += 1;
    const go = () => {
      pending -= 1;
      log.push({ path, sequence, change });
      send(change);
    };
    if (afterMs === 0) go();
    else setTimeout(go, afterMs);
  }
}

/** RFC 8762 figure 5, written by hand: T2 and T3 are the sender's T1, which makes a residence of nothing. */
function stampReply(request, change) {
  const reply = Buffer.alloc(request.length);
  request.copy(reply, 0, 0, 16);
  request.copy(reply, 16, 4, 12);
  request.copy(reply, 24, 0, 14);
  reply[40] = 255;
  switch (change) {
    case 'short':
      return reply.subarray(0, 43);
    case 'corrupt':
      // A PTP timestamp (Z = 1) with more nanoseconds than a second has.
      reply[12] |= 0x40;
      reply.writeUInt32BE(0xffffffff, 8);
      return reply;
    case 'session':
      reply.writeUInt16BE(0xfff0, 14);
      return reply;
    case 'probe':
      reply.writeUInt32BE(request.readUInt32BE(0) + 1_000_000, 24);
      return reply;
    case 't1':
      reply.writeUInt32BE(request.readUInt32BE(4) - 1, 28);
      return reply;
    default:
      return reply;
  }
}

function echoReply(request, change) {
  let reply = Buffer.from(request);
  reply[0] = 0;
  if (change === 'short') reply = reply.subarray(0, 24);
  if (change === 'session') reply[12] ^= 1;
  if (change === 'probe') reply.writeUInt32BE(request.readUInt32BE(20) + 1_048_576, 20);
  if (change === 't1') reply[27] ^= 1;
  if (change === 'corrupt') reply[reply.length - 1] ^= 1;
  reply.writeUInt16BE(0, 2);
  reply.writeUInt16BE(internetChecksum(reply), 2);
  if (change === 'checksum') reply[reply.length - 1] ^= 1;
  return reply;
}

function internetChecksum(octets) {
  let sum = 0;
  for (let at = 0; at < octets.length; at += 2) sum += (octets[at] << 8) | (octets[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Host unreachable, with the IP header of the packet it is about and 8 octets of what follows, written by hand. */
function unreachable(protocol, from, to, eight) {
  const message = Buffer.alloc(8 + 20 + 8);
  message[0] = 3;
  message[1] = 1;
  message[8] = 0x45;
  message.writeUInt16BE(100, 10);
  message[16] = 1;
  message[17] = protocol;
  message.set(from, 20);
  message.set(to, 24);
  message.set(eight, 28);
  message.writeUInt16BE(internetChecksum(message), 2);
  return message;
}

function udpHeader(from, to, payload) {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(from, 0);
  header.writeUInt16BE(to, 2);
  header.writeUInt16BE(8 + payload, 4);
  return header;
}

function reflectStamp(address, port) {
  const socket = createSocket('udp4').bind(port, address);
  const stranger = createSocket('udp4').bind(port + 1, address);
  const raw = openRaw(address);
  socket.on('message', (request, from) => {
    act(request.readUInt16BE(14) - 1, request.readUInt32BE(0), (change) => {
      const sender = parseIp(from.address);
      if (change === 'unreachable') {
        sendRaw(raw, unreachable(17, sender, parseIp(address), udpHeader(from.port, port, request.length)), sender);
        return;
      }
      (change === 'source' ? stranger : socket).send(stampReply(request, change), from.port, from.address);
    });
  });
}

function openRaw(address) {
  const fd = tryOpenSocket('icmp_raw', 'ipv4');
  bindSocket(fd, parseIp(address), 0);
  return fd;
}

const outgoing = new MessageBatch(1, 2048, 256);

function sendRaw(fd, message, to) {
  Buffer.from(outgoing.arena.view.buffer, outgoing.payload(0), message.length).set(message);
  outgoing.prepare(0, message.length, writeSockaddr(outgoing.arena.view, outgoing.name(0), endpointOf(to, 0)));
  if (libc().sendmmsg(fd, outgoing.address(0), 1, 0) !== 1) throw new Error(`cannot send: errno ${libc().errno()}`);
}

function echoIcmp(address, strangerAddress) {
  const socket = openRaw(address);
  const stranger = openRaw(strangerAddress);
  const incoming = new MessageBatch(64, 2048, 256);
  const from = blankEndpoint();
  setInterval(() => {
    const received = libc().recvmmsg(socket, incoming.address(0), incoming.count, MSG_DONTWAIT, 0);
    for (let message = 0; message < received; message += 1) {
      const packet = Buffer.from(incoming.arena.view.buffer, incoming.payload(message), incoming.received(message));
      const request = Buffer.from(packet.subarray((packet[0] & 15) * 4));
      if (request[0] !== 8) continue;
      readSockaddr(incoming.arena.view, incoming.name(message), from);
      const to = from.address.slice(0, from.addressBytes);
      act(request.readUInt16BE(ICMP_HEADER + 8), request.readUInt32BE(ICMP_HEADER + 12), (change) => {
        if (change === 'unreachable') sendRaw(socket, unreachable(1, to, parseIp(address), request.subarray(0, 8)), to);
        else sendRaw(change === 'source' ? stranger : socket, echoReply(request, change), to);
      });
    }
    incoming.rearm(Math.max(0, received));
  }, POLL_MS);
}

let isOpen = false;

process.on('message', (request) => {
  if (request.script) {
    ({ script } = request);
    log.length = 0;
    if (!isOpen) {
      reflectStamp(request.address, request.port);
      echoIcmp(request.address, request.stranger);
    }
    isOpen = true;
  }
  process.send({ pending, log: request.script ? [] : log });
});
process.once('disconnect', () => process.exit());
