/** The table of provisioned sessions against a plain map. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIp, parseIp } from '../../src/linux/ip-text.ts';
import { SessionTable } from '../../src/probe/session-table.ts';

const addresses = fc.constantFrom(
  ...['0.0.0.0', '127.0.0.1', '198.18.0.1', '255.255.255.255', '::', '::1', '2001:db8::1', '2001:db8::2'].map(parseIp),
);
const ssids = fc.constantFrom(1, 2, 17, 0xffff);
const ports = fc.constantFrom(862, 18_620, 18_621);

/** As a socket hands out addresses: in 16 octets, whatever follows. */
function padded(address: Uint8Array): Uint8Array {
  const octets = new Uint8Array(16).fill(0xaa);
  octets.set(address);
  return octets;
}

describe('session table', () => {
  it('finds exactly what was provisioned, and tells a strange sender from a strange session', () => {
    const session = fc.record({ address: addresses, port: ports, ssid: ssids });
    const sessions = fc.uniqueArray(session, { selector: ({ address, ssid }) => `${formatIp(address)} ${ssid}` });
    fc.assert(
      fc.property(sessions, session, (provisioned, asked) => {
        const table = new SessionTable(provisioned);
        const found = table.find(padded(asked.address), asked.address.length, asked.port, asked.ssid);
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
    const address = parseIp('198.18.0.5');
    const table = new SessionTable([
      { address, port: 862, ssid: 2 },
      { address, port: 862, ssid: 1 },
    ]);
    const [one, two] = [table.find(address, 4, 862, 1), table.find(address, 4, 862, 2)];
    expect([table.takeSequence(one), table.takeSequence(two), table.takeSequence(one)]).toEqual([0, 0, 1]);
  });
});
