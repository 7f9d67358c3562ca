/** What this process may do: privileged tests run as root on Linux, and say why they do not elsewhere. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Why tests that need root on Linux cannot run here, or null when they can. */
export function rootMissing(): string | null {
  if (process.platform !== 'linux') return 'needs Linux';
  return process.getuid?.() === 0 ? null : 'needs root';
}

/** Why tests that use these programs of the system cannot run here, or null when they can. */
export function toolsMissing(...tools: string[]): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const missing = tools.filter((tool) => !folders.some((folder) => existsSync(join(folder, tool))));
  return missing.length === 0 ? null : `needs ${missing.join(' and ')}`;
}

const PING_GROUP_RANGE = '/proc/sys/net/ipv4/ping_group_range';

/** Permits ping sockets in this network namespace; the function returned restores what was. */
export function permitPingSockets(): () => void {
  const before = readFileSync(PING_GROUP_RANGE, 'utf8');
  writeFileSync(PING_GROUP_RANGE, '0 2147483647');
  return () => writeFileSync(PING_GROUP_RANGE, before.trim().replace('\t', ' '));
}
