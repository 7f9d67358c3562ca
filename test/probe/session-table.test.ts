/** The table of provisioned sessions against a plain map. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SessionTable } from '../../src/probe/session-table.ts';

const addresses = fc.constantFrom(0, 1, 0x7f00_0001, 0xc612_0001, 0xffff_ffff);
const ssids = fc.constantFrom(1, 2, 17, 0xffff);
const ports = fc.constantFrom(862, 18_620, 18_621);

describe('session table', () => {
  it('finds exactly what was provisioned, and tells a strange sender from a strange session', () => {
    const session = fc.record({ address: addresses, port: ports, ssid: ssids });
    const sessions = fc.uniqueArray(session, { selector: ({ address, ssid }) => `${address} ${ssid}` });
    fc.assert(
      fc.property(sessions, session, (provisioned, asked) => {
        const table = new SessionTable(provisioned);
        const found = table.find(asked.address, asked.port, asked.ssid);
        const known = provisioned.some((s) => s.address === asked.address);
        const exact = provisioned.some(
          (s) => s.address === asked.address && s.ssid === asked.ssid && s.port === asked.port,
        );
        const expected = known ? -2 : -1;
        expect(Math.min(found, 0)).toBe(exact ? 0 : expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('numbers each session by itself', () => {
    const table = new SessionTable([
      { address: 5, port: 862, ssid: 2 },
      { address: 5, port: 862, ssid: 1 },
    ]);
    const [one, two] = [table.find(5, 862, 1), table.find(5, 862, 2)];
    expect([table.takeSequence(one), table.takeSequence(two), table.takeSequence(one)]).toEqual([0, 0, 1]);
  });
});
