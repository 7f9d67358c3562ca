/** The sockets of a thread: opened for a plan, and changed for another one without letting go of what stays. */

import { LIMITS } from '../base/limits.ts';
import type { SocketOptions } from '../linux/timestamping-socket.ts';
import { KernelTransport, openKernelTransport } from './kernel-transport.ts';
import type { SocketPlan } from './plan.ts';
import { RefusingTransport } from './refusing-transport.ts';
import { isSameEndpoint, isSameSocket } from './same-socket.ts';
import type { Transport } from './transport.ts';

/** A socket as it is wanted. */
export interface KernelSocketPlan extends SocketPlan {
  /** Whether the kernel stamps what it sends. */
  txStamps: boolean;
}

export interface KernelSocket {
  readonly plan: KernelSocketPlan;
  readonly transport: Transport;
  /** 0 unless the host permits no socket of the kind: all its probes are refused with this. */
  readonly errno: number;
}

/** Throws syscall_failed when an address or port is not to be had; nothing stays open then. */
export function openKernelSockets(plans: readonly KernelSocketPlan[]): KernelSocket[] {
  const opened: KernelSocket[] = [];
  try {
    for (const plan of plans) opened.push(open(plan));
    return opened;
  } catch (error) {
    for (const { transport } of opened) transport.close();
    throw error;
  }
}

/**
 * The sockets of another plan: what is the same goes on, what is bound to the same port is set up anew, everything else is
 * opened or closed. What waits in a socket that goes on is still there. Throws as `openKernelSockets`, and then the old
 * sockets are as they were.
 */
export function changeKernelSockets(
  before: readonly KernelSocket[],
  plans: readonly KernelSocketPlan[],
): KernelSocket[] {
  const found = plans.map((plan) => findSame(before, plan) ?? findBound(before, plan));
  const wanted = plans.filter((_, index) => !found[index]);
  const fresh = new Map(openKernelSockets(wanted).map((socket) => [socket.plan, socket]));
  // Stamps of what has been sent would come back with cookies of the old plan.
  for (const { transport } of before) if (transport instanceof KernelTransport) transport.forgetSent();
  const sockets = plans.flatMap((plan, index) => continued(found[index], plan) ?? fresh.get(plan) ?? []);
  for (const socket of before) if (!found.includes(socket)) socket.transport.close();
  return sockets;
}

function open(plan: KernelSocketPlan): KernelSocket {
  const kinds = plan.kind === 'icmp' ? (['icmp_raw', 'icmp_ping'] as const) : (['udp'] as const);
  const opened = openKernelTransport(kinds, optionsOf(plan));
  if (!('refusals' in opened)) return { plan, transport: opened, errno: 0 };
  const errno = opened.refusals.at(-1)?.errno ?? 0;
  return { plan, transport: new RefusingTransport(errno, LIMITS.batchMessages, plan.payloadBytes), errno };
}

function continued(socket: KernelSocket | undefined, plan: KernelSocketPlan): KernelSocket | null {
  if (!socket) return null;
  if (isSame(socket.plan, plan) || !(socket.transport instanceof KernelTransport)) return socket;
  return { plan, transport: socket.transport.setUpAnew(optionsOf(plan)), errno: 0 };
}

function optionsOf({ address, port, dscp, payloadBytes, txStamps }: KernelSocketPlan): Omit<SocketOptions, 'kind'> {
  return { address, port, dscp, payloadBytes, txStamps };
}

function findSame(sockets: readonly KernelSocket[], plan: KernelSocketPlan): KernelSocket | undefined {
  return sockets.find((socket) => isSame(socket.plan, plan));
}

/** A UDP port that is bound could not be bound again; raw sockets do not get in one another's way. */
function findBound(sockets: readonly KernelSocket[], plan: KernelSocketPlan): KernelSocket | undefined {
  if (plan.kind === 'icmp') return undefined;
  return sockets.find((socket) => isSameEndpoint(socket.plan, plan) && socket.transport instanceof KernelTransport);
}

function isSame(a: KernelSocketPlan, b: KernelSocketPlan): boolean {
  return isSameSocket(a, b) && a.txStamps === b.txStamps;
}
