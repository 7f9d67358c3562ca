/** Whether two plans mean the same socket. */

import { isAddress } from '../base/ip-address.ts';
import type { SocketPlan } from './plan.ts';

/** In everything that is set when it is opened. */
export function isSameSocket(a: SocketPlan, b: SocketPlan): boolean {
  return isSameEndpoint(a, b) && a.dscp === b.dscp && a.payloadBytes === b.payloadBytes;
}

/** In kind, local address and port (or ICMP identifier): two of them could not be bound at the same time. */
export function isSameEndpoint(a: SocketPlan, b: SocketPlan): boolean {
  return a.kind === b.kind && a.port === b.port && isAddress(a.address, b.address, b.address.length);
}
