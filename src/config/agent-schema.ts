/** The schema of agent.yaml: who the agent is, and where its files and its collector are. */

import { z } from 'zod';
import { LIMITS } from '../base/limits.ts';
import { unicastAddress } from './ip-address.ts';
import { choice, configName, filePath, logLevel, schemaLine, wholeNumber } from './schema-parts.ts';

export const AGENT_SCHEMA = 'popprobe.agent/1';

export const COLLECTOR_URL = 'an http or https URL without user name, password, query and fragment';
const COLLECTOR_URLS = `1 to ${LIMITS.collectorUrlsMax} URLs, the preferred one first`;
const PROXY_URL = 'an http URL of host and port alone';

const spoolBytes = wholeNumber(LIMITS.summaryBytesMax, LIMITS.spoolBytesMax, 'a number of octets');
const spoolAge = wholeNumber(1, LIMITS.spoolAgeHoursMax, 'a number of hours');

export const twampSenderSchema = z.strictObject({
  address: unicastAddress,
  port: wholeNumber(1, 65_535, 'a UDP port'),
});

export const reflectorSchema = z.strictObject({
  mode: choice(['stateful', 'stateless']).default('stateful'),
  packets_per_second_per_session: wholeNumber(1, LIMITS.reflectedPerSecondMax, 'a number of packets/s').default(
    LIMITS.reflectedPerSecondDefault,
  ),
  twamp_senders: z
    .array(twampSenderSchema)
    .max(LIMITS.twampSendersMax, `at most ${LIMITS.twampSendersMax} senders`)
    .default([]),
});

const collectorUrl = z.string(COLLECTOR_URL).refine(isCollectorUrl, COLLECTOR_URL);

export const collectorSchema = z.strictObject({
  url: collectorUrl.optional(),
  /** In order of preference. */
  urls: z.array(collectorUrl).min(1, COLLECTOR_URLS).max(LIMITS.collectorUrlsMax, COLLECTOR_URLS).optional(),
  ca_file: filePath.optional(),
  client_certificate: z.strictObject({ certificate_file: filePath, key_file: filePath }).optional(),
  proxy: z.string(PROXY_URL).refine(isProxyUrl, PROXY_URL).optional(),
});

export const agentSchema = z.strictObject({
  schema: schemaLine(AGENT_SCHEMA),
  pop: configName,
  mesh: filePath,
  key_file: filePath,
  next_key_file: filePath.optional(),
  stamp_keys: filePath.optional(),
  reflector: reflectorSchema.optional(),
  collector: collectorSchema,
  /** From one summary of the largest size on: a smaller spool could not keep what it is for. */
  spool: z.strictObject({
    directory: filePath,
    max_bytes: spoolBytes.default(LIMITS.spoolBytesDefault),
    max_age_h: spoolAge.default(LIMITS.spoolAgeHoursDefault),
  }),
  status_socket: filePath.default('/run/popprobe/agent.sock'),
  tick_ms: wholeNumber(LIMITS.tickMsMin, LIMITS.tickMsMax, 'a whole number of ms').optional(),
  transport: choice(['auto', 'kernel', 'portable']).default('auto'),
  log_level: logLevel,
});

export type AgentFile = z.infer<typeof agentSchema>;

function isCollectorUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && `${username}${password}${search}${hash}` === '';
}

function isProxyUrl(text: string): boolean {
  return isCollectorUrl(text) && new URL(text).protocol === 'http:' && new URL(text).pathname === '/';
}
