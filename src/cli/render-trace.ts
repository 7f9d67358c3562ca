/** Draws a path trace for a person, as traceroute does: a line for each router that answered at a hop. */

import type { IpFamily } from '../base/ip-address.ts';
import { LIMITS } from '../base/limits.ts';
import type { PathTrace, TraceAnswer, TraceHop } from '../protocol/record.ts';
import { formatTable } from './format.ts';

const OUTCOME: Record<PathTrace['outcome'], string> = {
  reached: 'reached',
  incomplete: 'NOT REACHED',
  failed: 'FAILED',
};

/** Answers that are not simply "one hop further, please": ICMP type and code in words (RFC 792, 1812; RFC 4443). */
const WORDS: Record<IpFamily, Readonly<Record<string, string>>> = {
  ipv4: {
    '3/0': 'network unreachable',
    '3/1': 'host unreachable',
    '3/2': 'protocol unreachable',
    '3/4': 'packet too big',
    '3/9': 'network prohibited',
    '3/10': 'host prohibited',
    '3/13': 'filtered',
  },
  ipv6: {
    '1/0': 'no route',
    '1/1': 'filtered',
    '1/3': 'host unreachable',
    '1/5': 'source filtered',
    '1/6': 'route rejected',
    '2/0': 'packet too big',
  },
};

/** Types without anything to say: a router's time exceeded, and the destination's reply. */
const PLAIN: Record<IpFamily, readonly (number | null)[]> = { ipv4: [11, 0], ipv6: [3, 129] };

/** The trace as lines of text. */
export function renderTrace(trace: PathTrace): string {
  const { peer, address, started_at, failure } = trace;
  const heading = ['hop', 'address', ...Array<string>(LIMITS.traceProbesPerHop).fill('µs'), 'answer'];
  return [
    `${peer} (${address}), ${started_at}: ${OUTCOME[trace.outcome]}${failure === null ? '' : `, ${failure}`}`,
    ...(trace.hops.length > 0 ? formatTable([heading, ...trace.hops.flatMap((hop) => rows(hop, trace.family))]) : []),
    '',
  ].join('\n');
}

/** One row a router; probes of other routers at the same hop leave their column to them. */
function rows({ ttl, answers }: TraceHop, family: IpFamily): string[][] {
  const routers = [...new Set(answers.map((answer) => answer.address))].filter((address) => address !== null);
  // Silent probes are shown with the first router, or alone.
  const lines = routers.length > 0 ? routers : [null];
  return lines.map((router, line) => [
    line === 0 ? String(ttl) : '',
    router ?? '*',
    ...answers.map((answer) => cell(answer, router, line === 0)),
    ...Array<string>(LIMITS.traceProbesPerHop - answers.length).fill(''),
    [...new Set(answers.filter((answer) => answer.address === router).map((answer) => words(answer, family)))].join(
      ' ',
    ),
  ]);
}

function cell(answer: TraceAnswer, router: string | null, isFirst: boolean): string {
  if (answer.address === null) return isFirst ? '*' : '';
  return answer.address === router ? String(answer.rtt_us) : '';
}

function words({ icmp_type, icmp_code }: TraceAnswer, family: IpFamily): string {
  if (icmp_type === null || PLAIN[family].includes(icmp_type)) return '';
  return WORDS[family][`${icmp_type}/${icmp_code}`] ?? `ICMP ${icmp_type}/${icmp_code}`;
}
