/** Sends a trace's probes through net-ping, with our own clock and matching; loaded when the first trace runs. */

import { SocketAddress } from 'node:net';
import { NetworkProtocol, type Request, RequestTimedOutError, Session } from 'net-ping';
import { AddressFamily, SocketLevel, SocketOption } from 'raw-socket';
import type { Clock } from '../base/clock.ts';
import { LIMITS } from '../base/limits.ts';
import { NS_PER_US } from '../base/units.ts';
import { ICMP_FILTER, ICMPV6_FILTER, IPPROTO_ICMPV6, SOL_RAW } from '../linux/constants.ts';
import type { TraceAnswer } from '../protocol/record.ts';
import { ICMP_ANSWERS, type IcmpAnswer, ICMPV6_ANSWERS, readAnswerIpv4, readAnswerIpv6 } from '../wire/icmp-answer.ts';
import type { HopProber, TraceTarget } from './path-trace.ts';

const SILENCE: TraceAnswer = { address: null, rtt_us: null, icmp_type: null, icmp_code: null };
/** Where net-ping's packets have their type, checksum and the first octets that nobody reads. */
const CHECKSUM_AT = 2;
const BALANCE_AT = 8;

/**
 * A raw ICMP socket towards one target. What net-ping 1.2.4 would get wrong is done here instead:
 *
 * - its times are Date's, in ms;
 * - over IPv6 it sets an option that is not the hop limit, and does not find the request in an ICMPv6 error;
 * - it takes any message with two octets of the right value for an answer: the refusal of a STAMP probe, another
 *   program's echo, a redirect, after which it no longer waits for the answer proper;
 * - each probe has another checksum, by which some routers choose the member of an ECMP group, so that the hops of
 *   several paths would read as one.
 */
export class TraceSession extends Session implements HopProber {
  readonly #clock: Clock;
  readonly #target: string;
  readonly #read: (message: DataView) => IcmpAnswer | null;
  readonly #sentNs = new WeakMap<Request, number>();
  /** The message that net-ping is being told of: its callbacks say neither its type nor, of a reply, who sent it. */
  #source = '';
  #answer: TraceAnswer | null = null;
  /** Why the socket has closed itself. */
  #trouble: Error | null = null;

  /**
   * @param identifier ICMP identifier, 1 to 65534: of no other program, nor of a trace before whose answers may be late
   * @throws Error what the kernel says, when this process may not have a raw socket
   */
  constructor({ address, family }: TraceTarget, identifier: number, clock: Clock) {
    const isIpv6 = family === 'ipv6';
    super({
      networkProtocol: isIpv6 ? NetworkProtocol.IPv6 : NetworkProtocol.IPv4,
      sessionId: identifier,
      retries: 0,
      timeout: LIMITS.traceProbeTimeoutMs,
    });
    this.#clock = clock;
    this.#target = new SocketAddress({ address, family }).address;
    this.#read = isIpv6 ? readAnswerIpv6 : readAnswerIpv4;
    // Unheard, the event would be thrown. The socket is closed with it, and its probes end.
    this.on('error', (error: Error) => {
      this.#trouble = error;
      this.close();
    });
    if (process.platform === 'linux') this.#refuseOthers(isIpv6);
  }

  /** Sends one probe with this TTL. Rejects when this host does not send it, or when the session is closed. */
  probe(ttl: number): Promise<TraceAnswer> {
    return new Promise((resolve, reject) => {
      const feed = (error: Error | null): true => {
        if (this.#answer) resolve(this.#answer);
        else if (error instanceof RequestTimedOutError) resolve(SILENCE);
        else reject(this.#trouble ?? error ?? new Error('net-ping answered without a message'));
        // One probe only: net-ping would go on to the next hop.
        return true;
      };
      this.traceRoute(this.#target, { startTtl: ttl, ttl }, feed, () => undefined);
    });
  }

  /** Also called by the constructor of `Session`, before there are fields of ours. */
  override setTTL(ttl: number): void {
    const isIpv6 = this.addressFamily === AddressFamily.IPv6;
    const level = isIpv6 ? SocketLevel.IPPROTO_IPV6 : SocketLevel.IPPROTO_IP;
    this.getSocket().setOption(level, isIpv6 ? SocketOption.IPV6_UNICAST_HOPS : SocketOption.IP_TTL, ttl);
  }

  /** The sequence number and its complement add up to the same in every probe, and so does the checksum (RFC 1071). */
  override toBuffer(request: Request): Buffer {
    const buffer = super.toBuffer(request);
    const sum = buffer.readUInt16BE(0) + this.sessionId;
    buffer.writeUInt16BE(0xffff - request.id, BALANCE_AT);
    buffer.writeUInt16BE(~((sum & 0xffff) + (sum >>> 16)) & 0xffff, CHECKSUM_AT);
    return buffer;
  }

  override onBeforeSocketSend(request: Request): void {
    super.onBeforeSocketSend(request);
    this.#clock.read();
    this.#sentNs.set(request, this.#clock.monoNs);
  }

  override onSocketMessage(buffer: Buffer, source: string): void {
    this.#clock.read();
    this.#source = source;
    super.onSocketMessage(buffer, source);
    this.#answer = null;
  }

  override fromBuffer(buffer: Buffer): Request | undefined {
    const answer = this.#read(new DataView(buffer.buffer, buffer.byteOffset, buffer.length));
    if (answer === null || answer.identifier !== this.sessionId) return undefined;
    if (answer.isReply && this.#source !== this.#target) return undefined;
    const request = this.reqs[answer.sequence];
    const sentNs = request && this.#sentNs.get(request);
    if (!request || sentNs === undefined) return undefined;
    this.#answer = {
      address: this.#source,
      rtt_us: Math.round((this.#clock.monoNs - sentNs) / NS_PER_US),
      icmp_type: answer.type,
      icmp_code: answer.code,
    };
    request.type = answer.type;
    request.code = answer.code;
    return request;
  }

  /** A raw socket is given every ICMP message of the host; the kernel keeps what can be no answer from waking us. */
  #refuseOthers(isIpv6: boolean): void {
    const words = new Uint32Array(isIpv6 ? 8 : 1).fill(0xffff_ffff);
    for (const type of isIpv6 ? ICMPV6_ANSWERS : ICMP_ANSWERS) {
      words[type >>> 5] = (words[type >>> 5] ?? 0) & ~(1 << (type & 31));
    }
    const filter = Buffer.from(words.buffer);
    if (isIpv6) this.getSocket().setOption(IPPROTO_ICMPV6, ICMPV6_FILTER, filter, filter.length);
    else this.getSocket().setOption(SOL_RAW, ICMP_FILTER, filter, filter.length);
  }
}
