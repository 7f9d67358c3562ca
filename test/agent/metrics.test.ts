/** The agent's metrics, held against the rules of the text exposition format. */

import { describe, expect, it } from 'vitest';
import { metricsText } from '../../src/agent/metrics.ts';
import { buildStatus } from './status-fixture.ts';

const SAMPLE = /^(?<name>[a-z_]+)\{pop="hkg1"\} (?<value>\d+(?:\.\d+)?)$/;

describe('metrics', () => {
  it('are one sample each, behind its help and type, counters by their names', () => {
    const blocks = metricsText({ ...buildStatus(), pop: 'hkg1' })
      .trimEnd()
      .split('\n\n');
    const names = blocks.map((block) => {
      const [help, type, sample, ...rest] = block.split('\n');
      const name = SAMPLE.exec(sample ?? '')?.groups?.['name'] ?? '';
      expect(rest).toEqual([]);
      expect(help).toMatch(new RegExp(`^# HELP ${name} [A-Z0-9].*\\.?`));
      expect(type).toBe(`# TYPE ${name} ${name.endsWith('_total') ? 'counter' : 'gauge'}`);
      return name;
    });
    expect(new Set(names).size).toBe(names.length);
    expect(names.every((name) => name.startsWith('popprobe_'))).toBe(true);
  });

  it('have the figures of the status', () => {
    const status = buildStatus();
    const spool = { ...status.spool, documents: 12, degraded: { reason: 'EROFS', sinceMs: 0 } };
    const push = { ...status.push, failuresInARow: 3, lastAcceptedAtMs: 1_767_225_600_500 };
    const lines = metricsText({ ...status, pop: 'hkg1', spool, push }).split('\n');
    expect(lines).toContain('popprobe_spool_documents{pop="hkg1"} 12');
    expect(lines).toContain('popprobe_spool_degraded{pop="hkg1"} 1');
    expect(lines).toContain('popprobe_push_failures_in_a_row{pop="hkg1"} 3');
    expect(lines).toContain('popprobe_push_accepted_timestamp_seconds{pop="hkg1"} 1767225600.5');
  });

  it('leave out what there is not yet', () => {
    const status = buildStatus();
    const push = { ...status.push, lastAcceptedAtMs: null };
    expect(metricsText({ ...status, push })).not.toContain('push_accepted_timestamp_seconds');
  });
});
