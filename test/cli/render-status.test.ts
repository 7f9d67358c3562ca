/** An agent's status as text, compared whole. */

import { describe, expect, it } from 'vitest';
import type { AgentStatus } from '../../src/agent/status.ts';
import { renderStatus } from '../../src/cli/render-status.ts';
import { buildStatus } from '../agent/status-fixture.ts';
import { buildCounts, buildPath, buildPeer, buildSummary } from '../protocol/summary-fixture.ts';

const STARTED_MS = Date.parse('2026-01-01T00:00:00.000Z');

/** The status as a template can hold it, with a line break before it. */
function text(overrides: Partial<AgentStatus> = {}, upS = 60): string {
  return `\n${renderStatus(buildStatus(overrides), STARTED_MS + upS * 1000)}`;
}

describe('a status as text', () => {
  it('of an agent that has just started says what is still to come', () => {
    expect(text()).toBe(`
hkg1: popprobe/0.1.0, up 60 s
icmp by icmp_raw
stamp by udp
clock synchronised, says adjtimex, 12.0 µs behind, error at most 1.50 ms
signs with key kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k
the collector has accepted nothing yet
spool: 0 documents, 0 octets; 0 discarded, 0 quarantined; 0 wait for the disk, 0 given up
events: 0 sealed, 0 wait for the disk, 0 given up

no window sealed yet
`);
  });

  it('says which configuration is in force, which one waits, and why one was refused', () => {
    const config = {
      digest: 'c2FtcGxl',
      staged: { digest: 'bmV3ZXI', appliesAtMs: STARTED_MS + 120_000 },
      taken: 2,
      refused: 1,
      lastRefusal: 'mesh.yaml:3:1: window: expected window_s',
    };
    expect(text({ config }).split('\n').slice(2, 5)).toEqual([
      'configuration c2FtcGxl; reloads: 2 taken, 1 refused',
      'the last one refused: mesh.yaml:3:1: window: expected window_s',
      'configuration bmV3ZXI: from 2026-01-01T00:02:00.000Z on',
    ]);
  });

  it('says which key signs, and which one is to follow', () => {
    const [kid, successor] = ['k'.repeat(43), 's'.repeat(43)];
    expect(text({ signing: { kid, successor } })).toContain(
      `\nsigns with key ${kid}; to be followed by ${successor}, not announced yet\n`,
    );
  });

  it('shows the newest window, a row for each path', () => {
    const lossy = buildCounts({ received: 300, lost: 200, refused: 60, missed: 30, void: 10 });
    const voice = [
      buildPath({ class: 'voice', flow: 0 }, 35_200_000),
      buildPath({ class: 'voice', flow: 1, counts: lossy }, 35_300_000),
    ];
    const echo = buildPath({ class: 'echo', kind: 'icmp', counts: buildCounts({ received: 0, refused: 300 }) });
    const peers = [buildPeer('lax1', { paths: [...voice, echo] }), buildPeer('sin1', { paths: [buildPath()] })];
    const latest = buildSummary({ peers });
    const push = {
      lastAcceptedSequence: 1_767_225_660,
      lastAcceptedAtMs: STARTED_MS + 7_193_000,
      lastError: 'HTTP 503',
      failuresInARow: 0,
      quarantined: 0,
      collectors: [{ url: 'https://collector.example.net', inUse: true, lastError: 'HTTP 503' }],
    };
    expect(text({ latest, push }, 7200)).toBe(`
hkg1: popprobe/0.1.0, up 2 h
icmp by icmp_raw
stamp by udp
clock synchronised, says adjtimex, 12.0 µs behind, error at most 1.50 ms
signs with key kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k
the collector accepted 1767225660 7 s ago
spool: 0 documents, 0 octets; 0 discarded, 0 quarantined; 0 wait for the disk, 0 given up
events: 0 sealed, 0 wait for the disk, 0 given up

window of 60 s from 2026-01-01T00:01:00.000Z
peer        class  flow  rtt mean      p95      p99     loss  due  received  lost  refused  missed  void
lax1        voice     0   35.2 ms  35.2 ms  35.2 ms   0.00 %  600       600     0        0       0     0
lax1        voice     1   35.3 ms  35.3 ms  35.3 ms  40.00 %  600       300   200       60      30    10
lax1         echo     0         -        -        -        -  300         0     0      300       0     0
sin1  best-effort     0   12.0 ms  12.0 ms  12.0 ms   0.00 %  600       600     0        0       0     0
`);
  });

  it('shows what is wrong: sockets refused, in part or whole, the clock adrift, the collector away, the disk full', () => {
    const sockets: AgentStatus['sockets'] = [
      { kind: 'icmp', transport: 'none', errno: 13, receiveBufferBytes: null },
      { kind: 'stamp', transport: 'none', errno: 98, receiveBufferBytes: null },
      { kind: 'stamp', transport: 'udp', errno: 0, receiveBufferBytes: 16_777_216 },
      { kind: 'stamp', transport: 'udp', errno: 0, receiveBufferBytes: 16_777_216 },
    ];
    const push = {
      lastAcceptedSequence: 5,
      lastAcceptedAtMs: STARTED_MS + 60_000,
      lastError: 'connect ECONNREFUSED 198.51.100.7:443',
      failuresInARow: 3,
      quarantined: 1,
      collectors: [
        { url: 'https://a.example.net', inUse: false, lastError: 'connect ECONNREFUSED 198.51.100.7:443' },
        { url: 'https://b.example.net', inUse: true, lastError: null },
      ],
    };
    const spool = {
      ...buildStatus().spool,
      documents: 12,
      bytes: 34_567,
      discarded: 2,
      lost: 3,
      quarantined: 1,
      gapsPending: 6,
      degraded: { reason: 'expected a disk; found EROFS; remount it [spool_unusable]', sinceMs: STARTED_MS + 240_000 },
    };
    const clock = { synchronised: false, offsetNs: null, maxErrorNs: null, source: 'chrony' } as const;
    const sealing = { summaries: { waiting: 4, discarded: 1 }, records: { sealed: 7, waiting: 3, discarded: 2 } };
    expect(text({ sockets, clock, push, spool, sealing, clock_steps_untold: 5 }, 360)).toBe(`
hkg1: popprobe/0.1.0, up 6 min
icmp refused by this host: EACCES (13): this user may not do it: run as root, or grant CAP_NET_RAW
stamp refused by this host: EADDRINUSE (98): another program already uses the address and port
stamp by udp
clock not synchronised, says chrony
signs with key kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k
the collector accepted 5 5 min ago; 3 failures in a row: connect ECONNREFUSED 198.51.100.7:443
collector https://a.example.net: not in use; last error: connect ECONNREFUSED 198.51.100.7:443
collector https://b.example.net: in use
spool: 12 documents, 34567 octets; 2 discarded, 1 quarantined; 4 wait for the disk, 1 given up
events: 7 sealed, 3 wait for the disk, 2 given up; 5 clock steps too many for a record
spool DEGRADED for 2 min: expected a disk; found EROFS; remount it [spool_unusable]
spool: 3 lost from the disk, 6 given up and not declared yet

no window sealed yet
`);
  });

  it('says of the clock only what is known', () => {
    const unstated = { synchronised: true, offsetNs: null, maxErrorNs: null, source: 'timesyncd' } as const;
    expect(text({ clock: unstated })).toContain('\nclock synchronised, says timesyncd, error not stated\n');
    const unknown = { ...unstated, synchronised: null, source: 'none' } as const;
    expect(text({ clock: unknown })).toContain('\nclock: nobody on this host says whether it is synchronised\n');
    const ahead = { synchronised: true, offsetNs: 0, maxErrorNs: 25_000_000, source: 'chrony' } as const;
    expect(text({ clock: ahead })).toContain('\nclock synchronised, says chrony, 0 ns ahead, error at most 25.0 ms\n');
  });

  it('shows no negative age when the clock was set back', () => {
    expect(text({}, -10)).toContain('up 0 s');
  });
});
