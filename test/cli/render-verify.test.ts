/** A verification as text: both sides beside each other, what is wrong, what is not, and the verdict. */

import { describe, expect, it } from 'vitest';
import { renderVerification } from '../../src/cli/render-verify.ts';
import type { PairVerification, Verification } from '../../src/lab/verify.ts';

function pairOf(from: string, to: string, overrides: Partial<PairVerification> = {}): PairVerification {
  return {
    from,
    to,
    sent: { truth: 900, agent: 900 },
    lost: { truth: 0, agent: 0 },
    meanUs: { stamp: { truth: 35_000, agent: 35_182.4 }, icmp: { truth: 812.25, agent: 999.96 } },
    outages: { truth: [], agent: [] },
    refused: 0,
    missed: 0,
    void: 0,
    verdict: 'ok',
    reasons: [],
    explanations: [],
    ...overrides,
  };
}

function text(verification: Partial<Verification>): string {
  const blank: Verification = { verdict: 'ok', pairs: [], reasons: [], emulatorErrorP99Us: 100, readLagUs: 92.4 };
  return `\n${renderVerification({ ...blank, ...verification }).join('\n')}\n`;
}

describe('a verification as text', () => {
  it('has a row for each pair and ends with the verdict', () => {
    expect(text({ pairs: [pairOf('ams', 'fra')] })).toBe(`
from → to  sent  by agent  lost  by agent  stamp rtt  by agent  icmp rtt  by agent  outages  by agent  refused  missed  void  verdict
ams → fra   900       900     0         0    35.0 ms   35.2 ms    812 µs   1.00 ms        -         -        0       0     0       ok

emulator: p99 of the packets' delay error is up to 100 µs (target 200 µs)
emulator: read a probe's packets 92.4 µs after they were sent, which is allowed for
verdict: ok, all 1 pairs agree with the network
`);
  });

  it('says what differs, and what explains a difference', () => {
    const differing = pairOf('fra', 'ams', {
      lost: { truth: 95, agent: 92 },
      meanUs: { stamp: { truth: null, agent: null }, icmp: { truth: 812, agent: 2000 } },
      outages: {
        truth: [
          { startS: 100, lengthS: 90 },
          { startS: 300, lengthS: 2 },
        ],
        agent: [{ startS: 100, lengthS: 91 }],
      },
      refused: 4,
      void: 3,
      verdict: 'differs',
      reasons: ['outages: one too few', 'icmp: too slow'],
      explanations: ['4 refused'],
    });
    expect(
      text({
        verdict: 'differs',
        pairs: [pairOf('ams', 'fra'), differing],
        reasons: ['ams: no document'],
        emulatorErrorP99Us: Number.POSITIVE_INFINITY,
      }),
    ).toBe(`
from → to  sent  by agent  lost  by agent  stamp rtt  by agent  icmp rtt  by agent  outages  by agent  refused  missed  void  verdict
ams → fra   900       900     0         0    35.0 ms   35.2 ms    812 µs   1.00 ms        -         -        0       0     0       ok
fra → ams   900       900    95        92          -         -    812 µs   2.00 ms  2: 92 s   1: 91 s        4       0     3  differs

differs: ams: no document
differs: fra → ams: outages: one too few
differs: fra → ams: icmp: too slow
explained: fra → ams: 4 refused
emulator: p99 of the packets' delay error is more than can be counted (target 200 µs)
emulator: read a probe's packets 92.4 µs after they were sent, which is allowed for
verdict: differs, 1 of 2 pairs and 1 other reasons
`);
  });

  it('is its heading and the verdict without pairs', () => {
    expect(
      text({ verdict: 'differs', reasons: ['ams: no document'], emulatorErrorP99Us: null, readLagUs: null }),
    ).toBe(`
from → to  sent  by agent  lost  by agent  stamp rtt  by agent  icmp rtt  by agent  outages  by agent  refused  missed  void  verdict

differs: ams: no document
emulator: no packets
verdict: differs, 0 of 0 pairs and 1 other reasons
`);
  });
});
