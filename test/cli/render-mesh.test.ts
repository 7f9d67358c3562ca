/** The mesh as text: a row for each ordered pair, whatever is known of it. */

import { describe, expect, it } from 'vitest';
import { renderMesh } from '../../src/cli/render-mesh.ts';
import type { Mesh } from '../../src/collector/mesh.ts';
import { buildCounts } from '../protocol/summary-fixture.ts';

type Pop = Mesh['pops'][number];
type Pair = Mesh['pairs'][number];

const START = '2026-01-01T00:00:00.000Z';

function silentPop(pop: string): Pop {
  const never = { last_sequence: null, last_accepted_at: null, last_accepted_age_s: null, skew_ms: null };
  return { pop, ...never, window_start: null, documents: 0 };
}

function heardPop(pop: string, ageS: number): Pop {
  return {
    pop,
    last_sequence: 7,
    last_accepted_at: START,
    last_accepted_age_s: ageS,
    skew_ms: -3000,
    window_start: START,
    documents: 1,
  };
}

function pairOf(from: string, to: string, overrides: Partial<Pair> = {}): Pair {
  return {
    from,
    to,
    window_start: START,
    window_length_s: 10,
    counts: buildCounts({ received: 450 }),
    loss_ratio: 0,
    rtt: { class: 'stamp', kind: 'stamp', n: 400, mean_ns: 35_240_000, p95_ns: 36_000_000 },
    seconds: 'g'.repeat(10),
    two_ended: 'agrees',
    paths: [],
    ...overrides,
  };
}

function meshOf(pops: Pop[], pairs: Pair[]): Mesh {
  return { generated_at: START, pops, pairs };
}

/** The lines as one text that can be compared with a template, without its first line break. */
function text(mesh: Mesh): string {
  return `\n${renderMesh(mesh).join('\n')}\n`;
}

describe('the mesh as text', () => {
  it('has a row for each ordered pair', () => {
    const pops = [heardPop('hkg1', 3), heardPop('lax1', 130), heardPop('sin1', 8000)];
    const unmeasured = { loss_ratio: null, rtt: null, seconds: 'u'.repeat(10) };
    const pairs = [
      pairOf('hkg1', 'lax1', {
        counts: buildCounts({ received: 449, lost: 1 }),
        loss_ratio: 1 / 450,
        rtt: { class: 'echo', kind: 'icmp', n: 449, mean_ns: 148_400_000, p95_ns: 1_250_000_000 },
        seconds: 'gggbgggggu',
      }),
      pairOf('hkg1', 'sin1'),
      pairOf('lax1', 'hkg1', { counts: buildCounts({ received: 0, refused: 450 }), ...unmeasured }),
      pairOf('lax1', 'sin1', { counts: buildCounts({ received: 0, missed: 440, void: 10 }), ...unmeasured }),
      pairOf('sin1', 'hkg1', { rtt: { class: 'stamp', kind: 'stamp', n: 400, mean_ns: 81_234, p95_ns: null } }),
      pairOf('sin1', 'lax1', {
        counts: buildCounts({ received: 0, lost: 450 }),
        loss_ratio: 1,
        rtt: null,
        seconds: 'b'.repeat(10),
      }),
    ];
    expect(text(meshOf(pops, pairs))).toBe(`
from → to    rtt mean      p95     by      loss  due  received  lost  refused  missed  void     seconds   accepted
hkg1 → lax1    148 ms   1.25 s   icmp    0.22 %  450       449     1        0       0     0  gggbgggggu    3 s ago
hkg1 → sin1   35.2 ms  36.0 ms  stamp    0.00 %  450       450     0        0       0     0  gggggggggg    3 s ago
lax1 → hkg1         -        -      -         -  450         0     0      450       0     0  uuuuuuuuuu  2 min ago
lax1 → sin1         -        -      -         -  450         0     0        0     440    10  uuuuuuuuuu  2 min ago
sin1 → hkg1   81.2 µs        -  stamp    0.00 %  450       450     0        0       0     0  gggggggggg    2 h ago
sin1 → lax1         -        -      -  100.00 %  450         0   450        0       0     0  bbbbbbbbbb    2 h ago
`);
  });

  it('shows dashes for PoPs that have not reported, and for pairs that no window names', () => {
    const mesh = meshOf([heardPop('hkg1', 3), silentPop('lax1'), heardPop('sin1', 4)], [pairOf('hkg1', 'sin1')]);
    expect(text(mesh)).toBe(`
from → to    rtt mean      p95     by    loss  due  received  lost  refused  missed  void     seconds  accepted
hkg1 → lax1         -        -      -       -    -         -     -        -       -     -           -   3 s ago
hkg1 → sin1   35.2 ms  36.0 ms  stamp  0.00 %  450       450     0        0       0     0  gggggggggg   3 s ago
lax1 → hkg1         -        -      -       -    -         -     -        -       -     -           -     never
lax1 → sin1         -        -      -       -    -         -     -        -       -     -           -     never
sin1 → hkg1         -        -      -       -    -         -     -        -       -     -           -   4 s ago
sin1 → lax1         -        -      -       -    -         -     -        -       -     -           -   4 s ago
`);
  });

  it('is its heading alone without PoPs', () => {
    expect(text(meshOf([], []))).toBe(`
from → to  rtt mean  p95  by  loss  due  received  lost  refused  missed  void  seconds  accepted
`);
  });

  it('names below the table what two ends dispute, as far as a screen has room', () => {
    const ends = {
      sent: 600,
      tolerance: 3,
      forward_lost: 0,
      reverse_lost: 0,
      reflector: { received: 400, replied: 399 },
    };
    const path = (flow: number, verdict: 'agrees' | 'disputed'): Pair['paths'][number] => ({
      class: 'voice',
      kind: 'stamp',
      family: 'ipv4',
      flow,
      counts: buildCounts({ received: 598, lost: 2 }),
      rtt_mean_ns: null,
      rtt_p95_ns: null,
      two_ended: { verdict, reason: null, ...ends, forward_lost: flow === 3 ? null : 1 },
    });
    const pops = [heardPop('hkg1', 3), heardPop('sin1', 4)];
    const below = (paths: Pair['paths']) => renderMesh(meshOf(pops, [pairOf('hkg1', 'sin1', { paths })])).slice(3);
    expect(below([path(0, 'agrees')])).toEqual([]);
    const start = `disputed: hkg1 → sin1, voice ipv4 flow`;
    expect(below([path(0, 'agrees'), path(1, 'disputed'), path(3, 'disputed')])).toEqual([
      `${start} 1, window ${START}: hkg1 sent 600 and lost 2, 1 of them on the way there; sin1 received 400 and answered 399; 3 may differ`,
      `${start} 3, window ${START}: hkg1 sent 600 and lost 2; sin1 received 400 and answered 399; 3 may differ`,
    ]);
    const many = below(Array.from({ length: 11 }, (_, flow) => path(flow, 'disputed')));
    expect(many).toHaveLength(9);
    expect(many.at(-1)).toBe('and 3 more disputed paths, see /api/v1/mesh');
  });

  it('that has room for few pairs shows those in trouble, and how many more there are', () => {
    const pops = ['hkg1', 'lax1', 'sin1'].map((pop) => heardPop(pop, 3));
    const pairs = [
      pairOf('hkg1', 'lax1'),
      pairOf('hkg1', 'sin1'),
      pairOf('lax1', 'hkg1'),
      pairOf('lax1', 'sin1', { counts: buildCounts({ received: 449, lost: 1 }) }),
      pairOf('sin1', 'hkg1', { seconds: 'ggggguuuuu' }),
      pairOf('sin1', 'lax1'),
    ];
    const names = (lines: readonly string[]): string[] => lines.slice(1).map((line) => line.slice(0, 11));
    const mesh = meshOf(pops, pairs);
    expect(renderMesh(mesh, 7)).toEqual(renderMesh(mesh));
    expect(names(renderMesh(mesh, 5))).toEqual(['hkg1 → lax1', 'lax1 → sin1', 'sin1 → hkg1', 'and 3 more ']);
    expect(names(renderMesh(mesh, 3))).toEqual(['lax1 → sin1', 'and 5 more ']);
    expect(names(renderMesh(mesh, 0))).toEqual(['lax1 → sin1', 'and 5 more ']);
    expect(renderMesh(mesh, 3).at(-1)).toBe('and 5 more pairs, see /api/v1/mesh');
  });
});
