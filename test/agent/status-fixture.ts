/** A running agent's status for tests: all is well, and nothing has been sealed yet. */

import type { AgentStatus } from '../../src/agent/status.ts';

export function buildStatus(overrides: Partial<AgentStatus> = {}): AgentStatus {
  return {
    pop: 'hkg1',
    boot_id: '6f1c8f6e-3f0a-4c44-9a37-5d3a5b8f0d11',
    software: 'popprobe/0.1.0',
    started_at: '2026-01-01T00:00:00.000Z',
    config: { digest: 'c2FtcGxl', staged: null, taken: 0, refused: 0, lastRefusal: null },
    sockets: [
      { kind: 'icmp', transport: 'icmp_raw', errno: 0, receiveBufferBytes: 16_777_216 },
      { kind: 'stamp', transport: 'udp', errno: 0, receiveBufferBytes: 16_777_216 },
      { kind: 'stamp', transport: 'udp', errno: 0, receiveBufferBytes: 16_777_216 },
    ],
    transport_reason: null,
    clock: { synchronised: true, offsetNs: -12_000, maxErrorNs: 1_500_000, source: 'adjtimex' },
    push: {
      lastAcceptedSequence: null,
      lastAcceptedAtMs: null,
      lastError: null,
      failuresInARow: 0,
      quarantined: 0,
      collectors: [{ url: 'https://collector.example.net', inUse: true, lastError: null }],
    },
    spool: {
      documents: 0,
      bytes: 0,
      unlisted: 0,
      discarded: 0,
      tooOld: 0,
      dropped: 0,
      lost: 0,
      quarantined: 0,
      quarantineDiscarded: 0,
      undeleted: 0,
      gapsPending: 0,
      gapsUndeclared: 0,
      degraded: null,
    },
    signing: { kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k', successor: null },
    sealing: { summaries: { waiting: 0, discarded: 0 }, records: { sealed: 0, waiting: 0, discarded: 0 } },
    clock_steps_untold: 0,
    traces: { running: null, waiting: 0, ended: 0, refused: 0 },
    latest: null,
    ...overrides,
  };
}
