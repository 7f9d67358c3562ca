/** `popprobe trace`: has the agent on this host trace the route to a peer. */

import { Command, Option } from 'commander';
import type { IpFamily } from '../base/ip-address.ts';
import { LIMITS } from '../base/limits.ts';
import type { PathTrace } from '../protocol/record.ts';
import { type AgentOptions, askAgent, DEFAULT_SOCKET, socketPath } from './ask-agent.ts';
import { pathArgument } from './path-argument.ts';
import { renderTrace } from './render-trace.ts';

const HELP = `
Shows every router on the way from this PoP to a peer PoP, as the agent on this host sees it: ${LIMITS.traceProbesPerHop} ICMP echo probes per
hop, at most ${LIMITS.traceHopsMax} hops, round trips in µs. "*" is a probe that nobody answered within ${LIMITS.traceProbeTimeoutMs} ms. The trace also
becomes a signed record. The agent traces by itself when a pair turns bad.

A peer is traced once in ${LIMITS.traceIntervalS / 60} minutes at most, so that routers are not bothered. A trace that finds nobody takes
some ${LIMITS.traceSilentHopsMax} s.

Exit status: 0 the peer was reached, 1 it was not, or there was no trace, 2 wrong use of the command.

Examples:
  popprobe trace sin1
  popprobe trace sin1 --family ipv6
  popprobe trace sin1 --json | jq '.hops[].answers[].address'`;

interface Options extends AgentOptions {
  family?: IpFamily;
  json?: true;
}

export function traceCommand(): Command {
  return new Command('trace')
    .description('trace the route from this PoP to a peer')
    .argument('<peer>', 'name of the peer PoP, as "popprobe status" lists it')
    .addOption(
      new Option('-f, --family <family>', 'IP version (default: IPv4 where the peer has it)').choices(['ipv4', 'ipv6']),
    )
    .option('-s, --socket <path>', `status socket of the agent (default: ${DEFAULT_SOCKET})`, pathArgument)
    .option('-c, --config <file>', 'agent file to read the socket from')
    .option('--json', 'print the trace as it stands in the record')
    .addHelpText('after', HELP)
    .action(async (peer: string, options: Options) => {
      const socket = await socketPath(options);
      const trace = await askAgent<PathTrace>(socket, {
        path: '/v1/trace',
        timeoutMs: LIMITS.traceAnswerMsMax,
        body: { peer, ...(options.family && { family: options.family }) },
        members: ['peer', 'address', 'family', 'started_at', 'outcome', 'failure', 'hops'],
      });
      process.stdout.write(options.json ? `${JSON.stringify(trace, null, 2)}\n` : renderTrace(trace));
      if (trace.outcome !== 'reached') process.exitCode = 1;
    });
}
