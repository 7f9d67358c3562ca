/** The schema of mesh.yaml: the PoPs and how they probe one another. */

import { z } from 'zod';
import { LIMITS } from '../base/limits.ts';
import { configName, dscp, schemaLine, wholeNumber } from './schema-parts.ts';

export const MESH_SCHEMA = 'popprobe.mesh/1';

/** All divide the hour, so that windows and hourly rollups share their edges. */
const WINDOWS_S = [5, 10, 15, 20, 30, 60, 120, 300] as const;

/** STAMP's assigned port, or one that users of the domain may agree on (RFC 8762 section 4.1). */
const STAMP_PORT_ASSIGNED = 862;
const STAMP_PORT = `the UDP port ${STAMP_PORT_ASSIGNED}, or one from 1024 to 65535`;
const stampPort = z
  .int(STAMP_PORT)
  .refine((port) => port === STAMP_PORT_ASSIGNED || (port >= 1024 && port <= 65_535), STAMP_PORT);

const UNICAST = 'an IPv4 address of one host, as 198.51.100.7';
const unicastIpv4 = z.ipv4(UNICAST).refine((address) => {
  const first = Number.parseInt(address, 10);
  return first >= 1 && first <= 223;
}, UNICAST);

const popSchema = z.strictObject({
  name: configName,
  /** Part of the STAMP session identifier: 12 bits, 0 is "no session". */
  id: wholeNumber(1, LIMITS.popsMax),
  ipv4: unicastIpv4,
  stamp_port: stampPort.optional(),
});

const INTERVAL = `a number of ms from ${LIMITS.intervalMsMin} to ${LIMITS.intervalMsMax}`;
const intervalMs = z.number(INTERVAL).min(LIMITS.intervalMsMin, INTERVAL).max(LIMITS.intervalMsMax, INTERVAL);

const icmpSchema = z.strictObject({
  name: configName,
  kind: z.literal('icmp'),
  interval_ms: intervalMs,
  /** From 48: the payload carries the marks by which a reply is matched and checked. */
  size_bytes: wholeNumber(48, LIMITS.packetBytesMax, 'a number of octets').default(64),
  dscp,
});

export const stampSchema = z.strictObject({
  name: configName,
  kind: z.literal('stamp'),
  interval_ms: intervalMs,
  flows: wholeNumber(1, LIMITS.flowsMax).default(4),
  source_port: wholeNumber(1024, 65_535, 'a UDP port').default(18_620),
  /** From 44: the STAMP packet without TLVs (RFC 8762 section 4.2.1). */
  size_bytes: wholeNumber(44, LIMITS.packetBytesMax, 'a number of octets').default(44),
  dscp,
});

const probeSchema = z.discriminatedUnion('kind', [icmpSchema, stampSchema], {
  error: ({ code }) => (code === 'invalid_union' ? 'icmp or stamp' : undefined),
});

export const meshSchema = z.strictObject({
  schema: schemaLine(MESH_SCHEMA),
  name: configName,
  window_s: z.literal(WINDOWS_S, `a number of seconds, one of ${WINDOWS_S.join(', ')}`).default(60),
  tmax_ms: wholeNumber(LIMITS.tmaxMsMin, LIMITS.tmaxMsMax, 'a whole number of ms').default(LIMITS.tmaxMsDefault),
  stamp_port: stampPort.default(STAMP_PORT_ASSIGNED),
  pops: z.array(popSchema).min(2, 'at least two PoPs: one alone has nobody to probe'),
  probes: z.array(probeSchema).min(1, 'at least one probe class'),
});

export type MeshFile = z.infer<typeof meshSchema>;
