/** What every probe of a path needs, side by side in memory: a thread that wakes finds nothing of it in a cache. */

import { IPV4_BYTES, type IpFamily } from '../base/ip-address.ts';
import { blankEndpoint, type Endpoint } from '../linux/sockaddr.ts';
import type { PathPlan } from './plan.ts';

/** Words of a path's row; the last four are the 16 octets of the address. */
const WORD = { isEcho: 0, socket: 1, sizeBytes: 2, name: 3, dscp: 4, port: 5, addressBytes: 6, address: 12 } as const;
const ROW_WORDS = 16;
const WORD_BYTES = 4;

/** Numbers are those of the plan's paths; a row is 64 octets. What is asked of a number that is no path's is 0. */
export class PathTable {
  readonly length: number;
  readonly #words: Int32Array;
  readonly #octets: Uint8Array;
  readonly #destination = blankEndpoint();

  constructor(paths: readonly PathPlan[]) {
    this.length = paths.length;
    this.#words = new Int32Array(paths.length * ROW_WORDS);
    this.#octets = new Uint8Array(this.#words.buffer);
    for (const [path, plan] of paths.entries()) this.#write(path, plan);
  }

  isEcho(path: number): boolean {
    return this.#word(path, WORD.isEcho) === 1;
  }

  /** Index into the plan's sockets. */
  socket(path: number): number {
    return this.#word(path, WORD.socket);
  }

  /** Octets of ICMP or UDP payload. */
  sizeBytes(path: number): number {
    return this.#word(path, WORD.sizeBytes);
  }

  /** What names the path in its packets: the SSID, or the path number of an echo probe. */
  name(path: number): number {
    return this.#word(path, WORD.name);
  }

  dscp(path: number): number {
    return this.#word(path, WORD.dscp);
  }

  family(path: number): IpFamily {
    return this.#word(path, WORD.addressBytes) === IPV4_BYTES ? 'ipv4' : 'ipv6';
  }

  /** Where the path's probes go; valid until the next call. */
  destination(path: number): Endpoint {
    const to = this.#destination;
    const at = this.#addressAt(path);
    to.port = this.#word(path, WORD.port);
    to.addressBytes = this.#word(path, WORD.addressBytes);
    for (let octet = 0; octet < to.addressBytes; octet += 1) to.address[octet] = this.#octets[at + octet] ?? 0;
    return to;
  }

  /** Whether what comes from there, port aside, comes from the path's peer. */
  isPeer(path: number, source: Endpoint): boolean {
    const { address, addressBytes } = source;
    const at = this.#addressAt(path);
    if (addressBytes === 0 || addressBytes !== this.#word(path, WORD.addressBytes)) return false;
    for (let octet = 0; octet < addressBytes; octet += 1) if (address[octet] !== this.#octets[at + octet]) return false;
    return true;
  }

  /** As `isPeer`, and to this socket, from the port that the path's probes go to. */
  isReflector(path: number, source: Endpoint, socket: number): boolean {
    return (
      this.#word(path, WORD.socket) === socket &&
      this.#word(path, WORD.port) === source.port &&
      this.isPeer(path, source)
    );
  }

  #write(path: number, { kind, socket, sizeBytes, ssid, echoPath, dscp, port, address }: PathPlan): void {
    const row = path * ROW_WORDS;
    this.#words[row + WORD.isEcho] = kind === 'icmp' ? 1 : 0;
    this.#words[row + WORD.socket] = socket;
    this.#words[row + WORD.sizeBytes] = sizeBytes;
    this.#words[row + WORD.name] = kind === 'icmp' ? echoPath : ssid;
    this.#words[row + WORD.dscp] = dscp;
    this.#words[row + WORD.port] = port;
    this.#words[row + WORD.addressBytes] = address.length;
    this.#octets.set(address, this.#addressAt(path));
  }

  #word(path: number, word: number): number {
    return this.#words[path * ROW_WORDS + word] ?? 0;
  }

  #addressAt(path: number): number {
    return (path * ROW_WORDS + WORD.address) * WORD_BYTES;
  }
}
