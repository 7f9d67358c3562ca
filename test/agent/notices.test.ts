/** Notices: what the host refused, one line per kind, with the way to permit it. */

import { describe, expect, it } from 'vitest';
import { notices } from '../../src/agent/notices.ts';

const EACCES = 13;
const EMFILE = 24;
const UDP = { kind: 'stamp', transport: 'udp', errno: 0, receiveBufferBytes: 16_777_216 } as const;
const RAW = { kind: 'icmp', transport: 'icmp_raw', errno: 0, receiveBufferBytes: 16_777_216 } as const;

describe('notices', () => {
  it('are silent when every socket opened, and when there is none', () => {
    expect(notices([RAW, UDP, UDP])).toEqual([]);
    expect(notices([])).toEqual([]);
  });

  it('say in one line, however many classes there are, how to permit ICMP', () => {
    const refused = { kind: 'icmp', transport: 'none', errno: EACCES, receiveBufferBytes: null } as const;
    expect(notices([refused, refused, UDP])).toEqual([
      'this host refuses ICMP probes, the others go on: EACCES (13): this user may not do it: run as root, ' +
        'or grant CAP_NET_RAW; ' +
        'enable them with: sysctl -w net.ipv4.ping_group_range="0 2147483647"',
    ]);
  });

  it('say why STAMP is refused, and give no remedy that does not help', () => {
    const refused = { kind: 'stamp', transport: 'none', errno: EMFILE, receiveBufferBytes: null } as const;
    const line = 'this host refuses STAMP probes, the others go on: EMFILE (24): too many open files in this process';
    expect(notices([RAW, refused, refused])).toEqual([line]);
    expect(notices([{ kind: 'icmp', transport: 'none', errno: EMFILE, receiveBufferBytes: null }])).toEqual([
      'this host refuses ICMP probes: EMFILE (24): too many open files in this process',
    ]);
  });

  it('are one line for each kind', () => {
    const lines = notices([
      { kind: 'icmp', transport: 'none', errno: EACCES, receiveBufferBytes: null },
      { kind: 'stamp', transport: 'none', errno: EACCES, receiveBufferBytes: null },
    ]);
    expect(lines.map((line) => line.split(' ')[3])).toEqual(['ICMP', 'STAMP']);
    for (const line of lines) expect(line).not.toContain('\n');
  });

  it('say which receive buffer the host has cut, and how to have it whole', () => {
    expect(notices([RAW, { ...UDP, receiveBufferBytes: 425_984 }, UDP])).toEqual([
      'this host has a receive buffer of 416 KiB where 8192 KiB were asked for: when a burst of replies does not fit, ' +
        'probes are void; grant CAP_NET_ADMIN, or: sysctl -w net.core.rmem_max=8388608',
    ]);
  });
});
