/** What stays when one plan follows another: paths and sessions that are the same in all that a packet shows. */

import { isAddress } from '../base/ip-address.ts';
import type { AgentConfig } from '../config/agent-config.ts';
import type { PathPlan, ProbePlan, ReflectorPlan, ReflectorSession } from '../probe/plan.ts';
import { isSameSocket } from '../probe/same-socket.ts';
import type { ReflectorCourse } from './plan-reflector.ts';

/** For each path of the new plan the number of the path in the old one that it continues, or -1. */
export function keptPaths(before: ProbePlan, after: ProbePlan): number[] {
  const isComparable =
    before.tmaxNs === after.tmaxNs && before.schedule === after.schedule && before.windowS === after.windowS;
  if (!isComparable) return after.paths.map(() => -1);
  const byName = new Map(before.paths.map((path, number) => [nameOf(path), number]));
  return after.paths.map((path) => {
    const number = byName.get(nameOf(path)) ?? -1;
    const old = before.paths[number];
    const [there, here] = [before.sockets[old?.socket ?? -1], after.sockets[path.socket]];
    const isKept = old && there && here && isSameSocket(there, here) && isContinued(old.keys, path.keys);
    return isKept === true ? number : -1;
  });
}

/** The paths of the old plan that the new one does not continue. */
export function endingPaths(before: ProbePlan, kept: readonly number[]): number[] {
  const continued = new Set(kept);
  return [...before.paths.keys()].filter((path) => !continued.has(path));
}

/** For each session of the new plan the number of the session in the old one that it continues, or -1. */
export function keptSessions(before: ReflectorPlan, after: ReflectorPlan): number[] {
  const byName = new Map(before.sessions.map((session, number) => [nameOfSession(session), number]));
  return after.sessions.map((session) => byName.get(nameOfSession(session)) ?? -1);
}

/**
 * The new plan with the sessions and keys of the old one that it does not have: what a peer sends that has not heard of the
 * new mesh yet is answered as well. The old plan where both cannot be had at once, because the reflector moves. A session
 * of both keeps its old name: what is sent until the new mesh is taken was sent under that.
 */
export function bothReflectors(before: ReflectorCourse, after: ReflectorCourse): ReflectorCourse {
  if (before.plan.port !== after.plan.port || !haveSameAddresses(before.plan, after.plan)) return before;
  const staying = keptSessions(before.plan, after.plan);
  const stays = new Set(staying);
  const leaving = [...before.plan.sessions.keys()].filter((session) => !stays.has(session));
  const sessions = after.plan.sessions.map((session, at) => {
    const older = before.plan.sessions[staying[at] ?? -1]?.keys ?? [];
    return { ...session, keys: [...session.keys, ...older.filter((key) => !includesKey(session.keys, key))] };
  });
  return {
    plan: { ...after.plan, sessions: [...sessions, ...leaving.flatMap((at) => before.plan.sessions[at] ?? [])] },
    names: [
      ...staying.map((old, at) => (old < 0 ? after.names[at] : before.names[old]) ?? null),
      ...leaving.map((at) => before.names[at] ?? null),
    ],
  };
}

/** How many sessions a summary would name of the peer with the most. */
export function sessionsOfOnePeer(names: ReflectorCourse['names']): number {
  const peers = new Map<string, Set<string>>();
  for (const name of names) {
    if (name === null) continue;
    const { peer, className, family, flow } = name;
    const own = peers.get(peer) ?? new Set();
    peers.set(peer, own.add(`${className} ${family} ${flow}`));
  }
  return Math.max(0, ...[...peers.values()].map(({ size }) => size));
}

/** What has changed that a running agent cannot change, by the names of the keys. */
export function needingRestart(before: AgentConfig, after: AgentConfig): string[] {
  const pairs: [string, unknown, unknown][] = [
    ['pop', before.pop, after.pop],
    ['collector', JSON.stringify(before.collector), JSON.stringify(after.collector)],
    ['spool.directory', before.spool.directory, after.spool.directory],
    ['spool.max_bytes', before.spool.maxBytes, after.spool.maxBytes],
    ['spool.max_age_h', before.spool.maxAgeH, after.spool.maxAgeH],
    ['status_socket', before.statusSocket, after.statusSocket],
    ['transport', before.transport, after.transport],
    ['window_s of the mesh', before.mesh.windowS, after.mesh.windowS],
  ];
  return pairs.filter(([, was, is]) => was !== is).map(([name]) => name);
}

/** Everything that tells one path from another, or that its figures depend on. Keys and sockets are compared apart. */
function nameOf({ keys: _keys, socket: _socket, ...path }: PathPlan): string {
  return JSON.stringify({ ...path, address: [...path.address] });
}

/** Packets on their way are signed with the old first key: whoever still knows it can go on. */
function isContinued([first]: readonly Uint8Array[], after: readonly Uint8Array[]): boolean {
  return first ? includesKey(after, first) : after.length === 0;
}

function includesKey(keys: readonly Uint8Array[], wanted: Uint8Array): boolean {
  return keys.some((key) => Buffer.compare(key, wanted) === 0);
}

function nameOfSession({ address, port, ssid }: ReflectorSession): string {
  return `${address.join('.')} ${port} ${ssid}`;
}

function haveSameAddresses(a: ReflectorPlan, b: ReflectorPlan): boolean {
  return (
    a.addresses.length === b.addresses.length &&
    a.addresses.every((address, at) => isAddress(address, b.addresses[at] ?? new Uint8Array(), address.length))
  );
}
