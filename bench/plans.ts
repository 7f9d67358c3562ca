/** The probe plans of the benchmarks: what the agent would make of a mesh, without a mesh. */

import type { IpFamily } from '../src/base/ip-address.ts';
import { LIMITS } from '../src/base/limits.ts';
import { defaultTickMs } from '../src/config/default-tick.ts';
import { parseIp } from '../src/linux/ip-text.ts';
import type { PathPlan, ProbePlan, ReflectorPlan, SocketPlan } from '../src/probe/plan.ts';
import { slotsFor } from '../src/ring/layout.ts';
import { ICMP_HEADER_BYTES } from '../src/wire/icmp-echo.ts';
import { NEAR_ADDRESS } from './addresses.ts';
import { SETTINGS } from './settings.ts';

const NS_PER_MS = 1e6;
/** The identifier of all our echo requests. */
export const ICMP_IDENTIFIER = 0x7001;
/** How far the tally may lag behind, see engine-process.ts: the ring has to hold that much and Tmax. */
const TALLY_LAG_S = 1.2;

/** Names the benchmark's runs in ICMP probes. */
const SESSION = 0x62656e63;

/** `pathsPerTarget` ICMP paths to each target, each with a probe every `intervalMs`. */
export function echoPlan(
  targets: readonly string[],
  pathsPerTarget: number,
  intervalMs: number,
  family: IpFamily = 'ipv4',
): ProbePlan {
  const paths = targets.flatMap((target, at) =>
    Array.from({ length: pathsPerTarget }, (_, path) => ({
      ...pathParts(intervalMs),
      kind: 'icmp' as const,
      sizeBytes: SETTINGS.echoBytes,
      address: parseIp(target),
      port: 0,
      echoPath: at * pathsPerTarget + path,
      ssid: 0,
      socket: 0,
    })),
  );
  const payloadBytes = ICMP_HEADER_BYTES + SETTINGS.echoBytes;
  const address = parseIp(NEAR_ADDRESS[family]);
  return plan([{ kind: 'icmp', address, port: ICMP_IDENTIFIER, dscp: 0, payloadBytes }], paths);
}

/**
 * `sessions` STAMP sessions with one reflector, spread over the flows, each with a probe every `intervalMs`; those of a flow
 * are neighbours, as in an agent's plan.
 */
export function stampPlans(
  reflector: string,
  sessions: number,
  intervalMs: number,
  family: IpFamily = 'ipv4',
): { probing: ProbePlan; reflecting: ReflectorPlan } {
  const flows = Math.min(SETTINGS.flows, sessions);
  const paths = Array.from({ length: sessions }, (_, session) => ({
    ...pathParts(intervalMs),
    kind: 'stamp' as const,
    sizeBytes: SETTINGS.stampBytes,
    address: parseIp(reflector),
    port: SETTINGS.stampPort,
    echoPath: 0,
    ssid: session + 1,
    socket: Math.floor((session * flows) / sessions),
  }));
  const sockets = Array.from(
    { length: flows },
    (_, flow): SocketPlan => ({
      kind: 'stamp',
      address: parseIp(NEAR_ADDRESS[family]),
      port: SETTINGS.sourcePort + flow,
      dscp: 0,
      payloadBytes: SETTINGS.stampBytes,
    }),
  );
  const reflecting = {
    addresses: [parseIp(reflector)],
    port: SETTINGS.stampPort,
    mode: 'stateful' as const,
    windowS: SETTINGS.agent.windowS,
    packetsPerSecond: LIMITS.probesPerSecondMax,
    permittedDscp: [],
    followUp: false,
    sessions: paths.map(({ ssid, socket }) => ({
      address: parseIp(NEAR_ADDRESS[family]),
      port: SETTINGS.sourcePort + socket,
      ssid,
      keys: [],
    })),
  };
  return { probing: plan(sockets, paths), reflecting };
}

function pathParts(
  intervalMs: number,
): Pick<
  PathPlan,
  'peer' | 'floor' | 'className' | 'dscp' | 'flow' | 'keys' | 'tlvs' | 'reflector' | 'intervalNs' | 'capacity'
> {
  return {
    peer: 'far',
    floor: false,
    className: 'bench',
    dscp: 0,
    flow: 0,
    keys: [],
    tlvs: [],
    reflector: 'stateful',
    intervalNs: intervalMs * NS_PER_MS,
    capacity: slotsFor(TALLY_LAG_S / 2, SETTINGS.tmaxMs, intervalMs),
  };
}

function plan(sockets: SocketPlan[], paths: PathPlan[]): ProbePlan {
  return {
    schedule: 'periodic',
    windowS: SETTINGS.agent.windowS,
    session: SESSION,
    tmaxNs: SETTINGS.tmaxMs * NS_PER_MS,
    tickNs: defaultTickMs(paths.map((path) => path.intervalNs / NS_PER_MS)) * NS_PER_MS,
    sockets,
    paths,
  };
}
