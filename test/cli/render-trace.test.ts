/** A path trace as text, compared whole. */

import { describe, expect, it } from 'vitest';
import { renderTrace } from '../../src/cli/render-trace.ts';
import type { TraceAnswer } from '../../src/protocol/record.ts';
import { buildTrace } from '../protocol/summary-fixture.ts';

const SILENCE: TraceAnswer = { address: null, rtt_us: null, icmp_type: null, icmp_code: null };

function answer(address: string, rtt_us: number, icmp_type = 11, icmp_code = 0): TraceAnswer {
  return { address, rtt_us, icmp_type, icmp_code };
}

describe('a trace as text', () => {
  it('shows a line for each hop up to the destination', () => {
    expect(`\n${renderTrace(buildTrace())}`).toBe(`
ams (192.0.2.9), 2026-01-01T00:00:42.123Z: reached
hop       address     µs     µs     µs  answer
1    198.51.100.1    412    398    405
2               *      *      *      *
3       192.0.2.9  11800  11790  11812
`);
  });

  it('shows every router of a hop, who did not answer, and what a router said', () => {
    const hops = [
      { ttl: 1, answers: [answer('198.51.100.1', 400), SILENCE, answer('198.51.100.5', 500)] },
      { ttl: 2, answers: [answer('198.51.100.9', 9000, 3, 1), answer('198.51.100.9', 9001, 3, 1), SILENCE] },
    ];
    expect(`\n${renderTrace(buildTrace({ outcome: 'incomplete', hops }))}`).toBe(`
ams (192.0.2.9), 2026-01-01T00:00:42.123Z: NOT REACHED
hop       address    µs    µs   µs            answer
1    198.51.100.1   400     *
     198.51.100.5              500
2    198.51.100.9  9000  9001    *  host unreachable
`);
  });

  it('knows ICMPv6, and gives the numbers of what it does not know', () => {
    const hops = [
      { ttl: 1, answers: [answer('2001:db8::1', 1, 3)] },
      { ttl: 2, answers: [answer('2001:db8::2', 2, 1, 0), answer('2001:db8::3', 2, 4, 7)] },
    ];
    const trace = buildTrace({ family: 'ipv6', address: '2001:db8::9', outcome: 'incomplete', hops });
    expect(renderTrace(trace).split('\n').slice(2)).toEqual([
      '1    2001:db8::1   1',
      '2    2001:db8::2   2          no route',
      '     2001:db8::3       2      ICMP 4/7',
      '',
    ]);
  });

  it('that failed says why', () => {
    const trace = buildTrace({ outcome: 'failed', failure: 'this host opens no raw ICMP socket', hops: [] });
    expect(renderTrace(trace)).toBe(
      'ams (192.0.2.9), 2026-01-01T00:00:42.123Z: FAILED, this host opens no raw ICMP socket\n',
    );
  });
});
