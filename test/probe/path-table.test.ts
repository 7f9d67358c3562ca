/** The table of paths says of each path what its plan says, and tells its peer from everybody else. */

import { describe, expect, it } from 'vitest';
import { parseIp } from '../../src/linux/ip-text.ts';
import { endpointOf } from '../../src/linux/sockaddr.ts';
import { PathTable } from '../../src/probe/path-table.ts';
import type { PathPlan } from '../../src/probe/plan.ts';
import { pathPlan } from '../agent/ring-rig.ts';

const STAMP: PathPlan = pathPlan({
  kind: 'stamp',
  address: parseIp('2001:db8::62'),
  port: 65_535,
  ssid: 65_535,
  echoPath: 0,
  socket: 3,
  sizeBytes: 1400,
  dscp: 46,
});
const ECHO: PathPlan = pathPlan({ kind: 'icmp', address: parseIp('198.18.255.1'), port: 0, echoPath: 40_000, ssid: 0 });
const table = new PathTable([STAMP, ECHO]);

describe('a path table', () => {
  it('says of each path what its plan says', () => {
    for (const [path, plan] of [STAMP, ECHO].entries()) {
      expect(table.isEcho(path)).toBe(plan.kind === 'icmp');
      expect(table.socket(path)).toBe(plan.socket);
      expect(table.sizeBytes(path)).toBe(plan.sizeBytes);
      expect(table.dscp(path)).toBe(plan.dscp);
      const { address, addressBytes, port } = table.destination(path);
      expect([address.slice(0, addressBytes), port]).toEqual([plan.address, plan.port]);
    }
    expect([table.name(0), table.name(1)]).toEqual([65_535, 40_000]);
    expect([table.family(0), table.family(1)]).toEqual(['ipv6', 'ipv4']);
  });

  it('tells the peer by every octet of its address', () => {
    for (const [path, { address, port }] of [STAMP, ECHO].entries()) {
      expect(table.isPeer(path, endpointOf(address, port))).toBe(true);
      for (let octet = 0; octet < address.length; octet += 1) {
        const other = address.map((value, at) => (at === octet ? value ^ 1 : value));
        expect(table.isPeer(path, endpointOf(other, port))).toBe(false);
      }
    }
    expect(table.isPeer(0, endpointOf(ECHO.address, 0))).toBe(false);
    expect(table.isPeer(1, { address: ECHO.address, addressBytes: 0, port: 0 })).toBe(false);
  });

  it('takes for the reflector only its port, heard on the socket of the path', () => {
    const { address, port } = STAMP;
    expect(table.isReflector(0, endpointOf(address, port), 3)).toBe(true);
    expect(table.isReflector(0, endpointOf(address, port - 1), 3)).toBe(false);
    expect(table.isReflector(0, endpointOf(address, port), 2)).toBe(false);
    expect(table.isReflector(0, endpointOf(ECHO.address, port), 3)).toBe(false);
  });

  it('has no peer for the number of no path', () => {
    for (const path of [-1, 2]) expect(table.isPeer(path, endpointOf(STAMP.address, STAMP.port))).toBe(false);
  });
});
