/** The schema of mesh.yaml: the PoPs and how they probe one another. */

import { z } from 'zod';
import { LIMITS } from '../base/limits.ts';
import { STAMP_BASE_BYTES, STAMP_PORT } from '../wire/stamp.ts';
import { unicastIpv4, unicastIpv6 } from './ip-address.ts';
import { choice, configName, dscp, schemaLine, wholeNumber } from './schema-parts.ts';

export const MESH_SCHEMA = 'popprobe.mesh/1';

/** All divide the hour, so that windows and hourly rollups share their edges. */
const WINDOWS_S = [5, 10, 15, 20, 30, 60, 120, 300] as const;

/** The assigned port, or one that the users of the domain have agreed on (RFC 8762 section 4.1). */
const PORT = `the UDP port ${STAMP_PORT}, or one from 1024 to 65535`;
const stampPort = z.int(PORT).refine((port) => port === STAMP_PORT || (port >= 1024 && port <= 65_535), PORT);

/** That there is at least one address is checked with the conflicts: it is no matter of one value. */
export const popSchema = z.strictObject({
  name: configName,
  /** Part of the STAMP session identifier: 12 bits, 0 is "no session". */
  id: wholeNumber(1, LIMITS.popsMax),
  ipv4: unicastIpv4.optional(),
  ipv6: unicastIpv6.optional(),
  stamp_port: stampPort.optional(),
  reflector: choice(['stateful', 'stateless', 'twamp_light']).default('stateful'),
});

export const PROBE_KINDS = ['icmp', 'stamp'] as const;

const INTERVAL = `a number of ms from ${LIMITS.intervalMsMin} to ${LIMITS.intervalMsMax}`;
const intervalMs = z.number(INTERVAL).min(LIMITS.intervalMsMin, INTERVAL).max(LIMITS.intervalMsMax, INTERVAL);

const family = choice(['ipv4', 'ipv6']).default('ipv4');

/** Twice what the marks take by which a reply is matched and checked, so that they may grow. */
const ICMP_BYTES_MIN = 48;

export const icmpSchema = z.strictObject({
  name: configName,
  kind: z.literal('icmp'),
  family,
  interval_ms: intervalMs,
  size_bytes: wholeNumber(ICMP_BYTES_MIN, LIMITS.packetBytesMax, 'a number of octets').default(64),
  dscp,
});

export const stampSchema = z.strictObject({
  name: configName,
  kind: z.literal('stamp'),
  family,
  interval_ms: intervalMs,
  flows: wholeNumber(1, LIMITS.flowsMax).default(4),
  source_port: wholeNumber(1024, 65_535, 'a UDP port').default(18_620),
  /** Without it, what the packet and its TLVs need (stamp-size.ts). */
  size_bytes: wholeNumber(STAMP_BASE_BYTES, LIMITS.packetBytesMax, 'a number of octets').optional(),
  authenticated: z.boolean('true or false').default(false),
  tlvs: z
    .array(
      choice(['class_of_service', 'direct_measurement', 'follow_up_telemetry', 'timestamp_information', 'location']),
    )
    .default([]),
  dscp,
});

/** What a class must have whichever kind it is: for one whose kind nobody can make out. */
export const kindlessSchema = z.strictObject({
  ...stampSchema.partial().shape,
  kind: z.unknown().optional(),
  name: configName,
  interval_ms: intervalMs,
});

const probeSchema = z.discriminatedUnion('kind', [icmpSchema, stampSchema], {
  error: ({ code }) => (code === 'invalid_union' ? PROBE_KINDS.join(' or ') : undefined),
});

export const limitsSchema = z.strictObject({
  probes_per_second_per_peer: wholeNumber(1, LIMITS.probesPerSecondPerPeerMax, 'a number of probes/s').default(
    LIMITS.probesPerSecondPerPeerDefault,
  ),
  probes_per_second_per_agent: wholeNumber(1, LIMITS.probesPerSecondMax, 'a number of probes/s').default(
    LIMITS.probesPerSecondDefault,
  ),
  bits_per_second_per_peer: wholeNumber(1, LIMITS.bitsPerSecondPerPeerMax, 'a number of bit/s').default(
    LIMITS.bitsPerSecondPerPeerDefault,
  ),
});

export const meshSchema = z.strictObject({
  schema: schemaLine(MESH_SCHEMA),
  name: configName,
  window_s: z.literal(WINDOWS_S, `a number of seconds, one of ${WINDOWS_S.join(', ')}`).default(60),
  tmax_ms: wholeNumber(LIMITS.tmaxMsMin, LIMITS.tmaxMsMax, 'a whole number of ms').default(LIMITS.tmaxMsDefault),
  stamp_port: stampPort.default(STAMP_PORT),
  schedule: choice(['periodic', 'poisson']).default('periodic'),
  limits: limitsSchema.optional(),
  pops: z.array(popSchema).min(2, 'at least two PoPs: one alone has nobody to probe'),
  probes: z.array(probeSchema).min(1, 'at least one probe class'),
});

export type MeshFile = z.infer<typeof meshSchema>;
