/** Random and mutated packets into every decoder and into a live reflector: nothing crashes, nothing illegal is answered. */

import { randomInt } from 'node:crypto';
import { LIMITS } from '../../src/base/limits.ts';
import { parseIp } from '../../src/linux/ip-text.ts';
import { farAddress, NEAR_ADDRESS } from '../addresses.ts';
import { EngineProcess } from '../engine.ts';
import { NEAR } from '../namespaces.ts';
import { nextMessage, startOwn } from '../processes.ts';
import { atMost, info, type Row } from '../report.ts';
import { SETTINGS, TARGETS } from '../settings.ts';
import { fuzzDecoders } from './decode.ts';
import type { FeedResult } from './live-feed.ts';
import type { LiveRequest } from './live-process.ts';
import { Random } from './random.ts';

/** Environment variable that brings a run's packets back. */
const SEED_VARIABLE = 'POPPROBE_BENCH_SEED';

export async function benchFuzz(): Promise<Row[]> {
  const { packets, livePackets } = SETTINGS.fuzz;
  const seed = Number(process.env[SEED_VARIABLE] ?? randomInt(1, 2 ** 31));
  console.log(`packets of ${SEED_VARIABLE}=${seed}`);
  const { accepted, violations } = fuzzDecoders(new Random(seed), packets);
  const live = await fuzzReflector(seed, livePackets);
  for (const violation of [...violations.shown, ...live.result.violations.shown]) console.log(violation);
  const names = Object.keys(accepted);
  const { sent, answered, unanswered } = live.result;
  return [
    info('Fuzz: seed', String(seed)),
    ...Object.entries(accepted).map(([name, count]) => info(`Fuzz: taken for good as ${name}`, String(count))),
    atMost(
      `Fuzz: violations over ${packets} packets in ${names.length} decoders`,
      violations.count,
      TARGETS.fuzzViolationsMax,
    ),
    info('Fuzz: sent to a live reflector, answered', `${sent}, ${answered}`),
    info('Fuzz: packets/s, answerable but unanswered', `${Math.round(sent / live.seconds)}, ${unanswered}`),
    atMost(`Fuzz: violations over ${answered} answers`, live.result.violations.count, TARGETS.fuzzViolationsMax),
  ];
}

/** The reflector that is fuzzed is the product's thread, with its real socket at the far end. */
async function fuzzReflector(seed: number, packets: number): Promise<{ result: FeedResult; seconds: number }> {
  const address = farAddress(1);
  const sessions = Array.from({ length: SETTINGS.fuzz.sessions }, (_, session) => ({
    address: parseIp(NEAR_ADDRESS.ipv4),
    port: SETTINGS.sourcePort,
    ssid: session + 1,
    keys: [],
  }));
  const plan = {
    addresses: [parseIp(address)],
    port: SETTINGS.stampPort,
    sessions,
    mode: 'stateful' as const,
    windowS: SETTINGS.agent.windowS,
    packetsPerSecond: LIMITS.probesPerSecondMax,
    permittedDscp: [],
    followUp: false,
  };
  const reflector = await EngineProcess.reflect(plan);
  const feed = startOwn(NEAR, './fuzz/live-process.js');
  const startMs = performance.now();
  const answer = nextMessage<FeedResult>(feed);
  feed.child.send({ seed, packets, address } satisfies LiveRequest);
  const result = await answer;
  const seconds = (performance.now() - startMs) / 1000;
  await feed.ended;
  await reflector.kill();
  return { result, seconds };
}
