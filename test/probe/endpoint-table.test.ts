/** The table of endpoints against a plain search. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIp } from '../../src/linux/ip-text.ts';
import { EndpointTable } from '../../src/probe/endpoint-table.ts';

const addresses = fc.constantFrom(
  ...['0.0.0.0', '127.0.0.1', '198.18.0.1', '255.255.255.255', '::', '::1', '2001:db8::1', '2001:db8::2'].map(parseIp),
);
const endpoint = fc.record({
  address: addresses,
  port: fc.constantFrom(0, 862, 18_620, 18_621),
  name: fc.constantFrom(0, 1, 2, 17, 0xffff),
});

/** As a socket hands out addresses: in 16 octets, whatever follows. */
function padded(address: Uint8Array): Uint8Array {
  const octets = new Uint8Array(16).fill(0xaa);
  octets.set(address);
  return octets;
}

describe('endpoint table', () => {
  it('finds exactly what it was made of, and tells which addresses it knows', () => {
    fc.assert(
      fc.property(fc.array(endpoint, { maxLength: 60 }), endpoint, (entries, asked) => {
        const table = new EndpointTable(entries);
        const text = JSON.stringify(asked);
        const first = entries.findIndex((entry) => JSON.stringify(entry) === text);
        const { address, port, name } = asked;
        expect(table.find(padded(address), address.length, port, name)).toBe(first);
        const known = entries.some((entry) => JSON.stringify(entry.address) === JSON.stringify(address));
        expect(table.knows(padded(address), address.length)).toBe(known);
      }),
      { numRuns: 1000 },
    );
  });
});
