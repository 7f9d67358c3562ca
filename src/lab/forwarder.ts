/** Moves packets between the hosts of the emulated network: read, decide, wait, write; and books the truth of each. */

import type { LabScenario } from '../config/lab-scenario.ts';
import { NS_PER_S, NS_PER_US } from '../base/units.ts';
import type { Libc } from '../linux/libc.ts';
import { blankIpPacket, type IpPacket, parseIpPacket, takeHops } from '../wire/ip-packet.ts';
import { flipBit } from '../wire/bit-error.ts';
import { writeTimeExceeded, writeTooBig } from '../wire/icmp-router-error.ts';
import { blankProbeMark, PROBE_KIND, PROBE_ROLE, type ProbeMark, readProbeMark } from '../wire/probe-mark.ts';
import { probeStampNs } from '../wire/probe-stamp.ts';
import { shiftStampClock } from '../wire/stamp-clock-shift.ts';
import { Departures } from './departures.ts';
import { flowHash } from './flow-hash.ts';
import type { HostTable } from './host-table.ts';
import { blankFate, DROP, type Fate } from './fate.ts';
import type { DirectionModel } from './impairment.ts';
import { PLACE_BYTES, type PacketStore } from './packet-store.ts';
import type { ProbeMatcher } from './probe-matcher.ts';
import type { Random } from './random.ts';
import { routerAddress } from './routers.ts';
import type { TruthLedger } from './truth-ledger.ts';

/** Packets read from one host before the others, and what departs meanwhile, have their turn: 0.1 ms. */
const BURST = 8;

/** What seems to be read later than this after it was sent has a stamp of a clock that was stepped. */
const LAG_NS_MAX = NS_PER_S;

/** A packet that is due within this is written at once: waking up again for it takes longer. */
const EARLY_NS = 20_000;

export interface ForwarderParts {
  scenario: LabScenario;
  /** TUN descriptors in the order of the scenario's hosts. */
  tuns: readonly number[];
  hosts: HostTable;
  /** In the order of the scenario's directions. */
  models: readonly DirectionModel[];
  ledger: TruthLedger;
  matcher: ProbeMatcher;
  store: PacketStore;
  random: Random;
  libc: Pick<Libc, 'read' | 'write'>;
  /** ns on CLOCK_MONOTONIC. */
  nowNs: () => number;
  /** CLOCK_REALTIME minus CLOCK_MONOTONIC when the network came up, ns. */
  wallOffsetNs: number;
}

export class Forwarder {
  /** Packets that are between no two hosts: multicast of the hosts' kernels, for the most part. */
  ignored = 0;
  readonly #parts: ForwarderParts;
  readonly #packet: IpPacket = blankIpPacket();
  readonly #mark: ProbeMark = blankProbeMark();
  readonly #fate: Fate = blankFate();
  readonly #name = { kind: 0, session: 0, sequence: 0 };
  readonly #departures: Departures;
  /** By `from * hosts + to`: place of the direction, -1 for none. */
  readonly #directions: Int16Array;
  readonly #clockOffsetsNs: Float64Array;
  readonly #isStampPort: (port: number) => boolean;
  readonly #router = { 4: new Uint8Array(4), 6: new Uint8Array(16) };

  constructor(parts: ForwarderParts) {
    this.#parts = parts;
    const { hosts, directions, mesh } = parts.scenario;
    this.#departures = new Departures(parts.store.capacity);
    this.#directions = new Int16Array(hosts.length ** 2).fill(-1);
    for (const [place, { from, to }] of directions.entries()) this.#directions[from * hosts.length + to] = place;
    this.#clockOffsetsNs = Float64Array.from(hosts, ({ clockOffsetNs }) => clockOffsetNs);
    const ports = new Uint8Array(2 ** 16);
    for (const { stamp_port } of mesh.pops) ports[stamp_port ?? mesh.stamp_port] = 1;
    this.#isStampPort = (port) => ports[port] === 1;
  }

  /** Reads what a host has sent, as much as its turn allows. */
  receive(from: number): void {
    const { store, tuns, libc } = this.#parts;
    for (let count = 0; count < BURST; count += 1) {
      const free = store.take();
      const place = free < 0 ? store.spare : free;
      const length = libc.read(tuns[from] ?? -1, store.arena.address(store.offset(place)), PLACE_BYTES);
      const isKept = length > 0 && this.#accept(place, from, length);
      if (free >= 0 && !isKept) store.release(free);
      if (length <= 0) return;
    }
  }

  /** Writes everything that is due; returns when the next packet is, ns on CLOCK_MONOTONIC, Infinity without any. */
  depart(): number {
    for (;;) {
      const dueNs = this.#departures.earliestNs();
      if (dueNs > this.#parts.nowNs() + EARLY_NS) return dueNs;
      this.#write(this.#departures.pop());
    }
  }

  /** Decides what becomes of a packet that was read into a place; returns whether it stays there until it departs. */
  #accept(place: number, from: number, length: number): boolean {
    const { scenario, hosts, models, store, ledger } = this.#parts;
    const { view } = store.arena;
    const packet = this.#packet;
    if (parseIpPacket(view, store.offset(place), length, packet) !== 'ok') return this.#ignore();
    const to = hosts.find(view, packet.destinationOffset, packet.addressBytes);
    const direction = to < 0 ? -1 : (this.#directions[from * scenario.hosts.length + to] ?? -1);
    const model = models[direction];
    // Multicast of the kernel's own, and whatever else is not between two hosts.
    if (!model || hosts.find(view, packet.sourceOffset, packet.addressBytes) !== from) return this.#ignore();
    const arrivedNs = this.#parts.nowNs();
    const second = Math.floor((arrivedNs + this.#parts.wallOffsetNs) / NS_PER_S);
    ledger.offered(second, from, to);
    this.#noteArrival(from, to, arrivedNs, second);
    store.from[place] = from;
    store.to[place] = to;
    store.length[place] = packet.totalBytes;
    store.arrivedNs[place] = arrivedNs;
    store.second[place] = second;
    if (place === store.spare) return this.#drop(place, DROP.overload);
    model.decide(arrivedNs, packet.totalBytes, this.#hash(view), this.#fate);
    return this.#isDelivered(place) && this.#send(place);
  }

  #hash(view: DataView): number {
    const { sourceOffset, addressBytes, protocol, sourcePort, destinationPort } = this.#packet;
    return flowHash(view, sourceOffset, 2 * addressBytes, protocol, sourcePort, destinationPort);
  }

  /** Tells the matcher of a probe's request or reply; what else there is concerns no probe. */
  #noteArrival(from: number, to: number, arrivedNs: number, second: number): void {
    const { store, matcher } = this.#parts;
    const mark = this.#mark;
    readProbeMark(store.arena.view, this.#packet, this.#isStampPort, mark);
    if (mark.role === PROBE_ROLE.none) return;
    const lagNs = this.#lagNs(arrivedNs);
    if (mark.role === PROBE_ROLE.request) matcher.request(from, to, mark, arrivedNs, second, lagNs);
    else matcher.reply(to, from, mark, lagNs);
  }

  /** How long ago the packet's host sent it, by the stamp in it, ns: what its delay has by the agents, and not by the network. */
  #lagNs(arrivedNs: number): number {
    const { store, wallOffsetNs } = this.#parts;
    const lagNs = arrivedNs + wallOffsetNs - probeStampNs(store.arena.view, this.#packet, this.#mark);
    return lagNs > 0 && lagNs < LAG_NS_MAX ? lagNs : 0;
  }

  /** Whether the packet gets to its destination; what a router on the way has to say of it is sent back. */
  #isDelivered(place: number): boolean {
    const { drop, mtuBytes } = this.#fate;
    const expires = this.#expires();
    if (!expires && drop === DROP.none) return true;
    if (expires) this.#answer(place, this.#packet.ttl, 0);
    else if (drop === DROP.mtu && mtuBytes > 0) this.#answer(place, 1, mtuBytes);
    return this.#drop(place, expires ? DROP.ttl : drop);
  }

  /** Whether a router finds the TTL used up. What is lost is lost in the middle: the routers before it still answer. */
  #expires(): boolean {
    const { drop, hops } = this.#fate;
    const { ttl } = this.#packet;
    if (drop === DROP.isolated) return false;
    return ttl <= (drop === DROP.none ? hops : Math.ceil(hops / 2));
  }

  /** Sends a router's ICMP error back: that the packet is too big for `mtuBytes`, or, with 0, that its TTL is used up. */
  #answer(place: number, hop: number, mtuBytes: number): void {
    const { store } = this.#parts;
    const answer = store.take();
    if (answer < 0) return;
    const { view } = store.arena;
    const { hops, member, delayNs } = this.#fate;
    const packet = this.#packet;
    const router = this.#router[packet.family];
    routerAddress(store.from[place] ?? 0, store.to[place] ?? 0, member, hop, hops, router);
    const out = store.offset(answer);
    const length =
      mtuBytes === 0
        ? writeTimeExceeded(view, out, router, view, packet)
        : writeTooBig(view, out, router, view, packet, mtuBytes);
    if (length === 0) return store.release(answer);
    store.from[answer] = -1;
    store.to[answer] = store.from[place] ?? 0;
    store.length[answer] = length;
    store.role[answer] = PROBE_ROLE.none;
    store.aside[answer] = 1;
    this.#push(answer, (store.arrivedNs[place] ?? 0) + (2 * delayNs * hop) / (hops + 1));
  }

  /** Lets a packet depart as its fate says, and its copy behind it. */
  #send(place: number): true {
    const { store, ledger, random } = this.#parts;
    const { view } = store.arena;
    const [from, to] = [store.from[place] ?? 0, store.to[place] ?? 0];
    const second = store.second[place] ?? 0;
    const fate = this.#fate;
    const mark = this.#mark;
    this.#shiftClocks(view, from, to);
    takeHops(view, this.#packet, fate.hops);
    store.role[place] = fate.corrupt ? PROBE_ROLE.none : mark.role;
    store.kind[place] = mark.kind;
    store.session[place] = mark.session;
    store.sequence[place] = mark.sequence;
    store.aside[place] = 0;
    if (fate.corrupt) {
      flipBit(view, this.#packet, random.next());
      ledger.corrupted(second, from, to);
    }
    if (fate.reordered) ledger.reordered(second, from, to);
    this.#push(place, fate.departNs);
    if (fate.copyNs > 0) this.#sendCopy(place);
    return true;
  }

  #sendCopy(place: number): void {
    const { store, ledger } = this.#parts;
    const copy = store.take();
    if (copy < 0) return;
    store.copy(place, copy);
    store.aside[copy] = 1;
    ledger.duplicated(store.second[place] ?? 0, store.from[place] ?? 0, store.to[place] ?? 0);
    this.#push(copy, this.#fate.copyNs);
  }

  #shiftClocks(view: DataView, from: number, to: number): void {
    const [fromNs, toNs] = [this.#clockOffsetsNs[from] ?? 0, this.#clockOffsetsNs[to] ?? 0];
    const mark = this.#mark;
    if (mark.role === PROBE_ROLE.none || mark.kind !== PROBE_KIND.stamp || (fromNs === 0 && toNs === 0)) return;
    shiftStampClock(view, this.#packet, mark, fromNs, toNs);
  }

  #push(place: number, dueNs: number): void {
    this.#parts.store.dueNs[place] = dueNs;
    this.#departures.push(dueNs, place);
  }

  #write(place: number): void {
    const { store, tuns, libc, nowNs, ledger } = this.#parts;
    const [from, to] = [store.from[place] ?? 0, store.to[place] ?? 0];
    const address = store.arena.address(store.offset(place));
    const written = libc.write(tuns[to] ?? -1, address, store.length[place] ?? 0);
    const departedNs = nowNs();
    store.release(place);
    if (store.aside[place] === 1) return;
    const second = store.second[place] ?? 0;
    if (written < 0) {
      this.#drop(place, DROP.overload);
      return;
    }
    ledger.delivered(second, from, to, (departedNs - (store.arrivedNs[place] ?? 0)) / NS_PER_US);
    ledger.error(second, Math.abs(departedNs - (store.dueNs[place] ?? 0)) / NS_PER_US);
    this.#noteDelivery(place, from, to, departedNs);
  }

  #noteDelivery(place: number, from: number, to: number, departedNs: number): void {
    const { store, matcher } = this.#parts;
    const role = store.role[place];
    if (role === PROBE_ROLE.none) return;
    const name = this.#name;
    name.kind = store.kind[place] ?? 0;
    name.session = store.session[place] ?? 0;
    name.sequence = store.sequence[place] ?? 0;
    if (role === PROBE_ROLE.request) matcher.requestDelivered(from, to, name, departedNs);
    else matcher.replyDelivered(to, from, name, store.arrivedNs[place] ?? 0, departedNs);
  }

  /** Always false, for the caller to return: the packet does not stay. */
  #drop(place: number, cause: number): false {
    const { store, ledger } = this.#parts;
    ledger.dropped(store.second[place] ?? 0, store.from[place] ?? 0, store.to[place] ?? 0, cause);
    return false;
  }

  #ignore(): false {
    this.ignored += 1;
    return false;
  }
}
