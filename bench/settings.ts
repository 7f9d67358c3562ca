/** Every duration, size and target of the benchmarks in one table. */

export const SETTINGS = {
  /** Addresses at the far end: as many peers as a large backbone has. */
  targets: 200,
  /** The engine's tick in all parts: the product's default. */
  tickMs: 5,
  /** A reply after this long is lost. */
  tmaxMs: 1000,
  /** Octets of ICMP payload: what fping sends unless told otherwise. */
  echoBytes: 56,
  /** Octets of UDP payload: the STAMP packet without TLVs. */
  stampBytes: 44,
  stampPort: 862,
  sourcePort: 18_620,
  flows: 4,

  /** At this rate V8 takes 10 to 15 s until it has compiled what is hot. */
  cpu: { rounds: 3, engineWarmUpMs: 15_000, fpingWarmUpMs: 2000, measureMs: 10_000, perTargetMs: 200 },
  throughput: { pathsPerTarget: 5, perPathMs: 20, measureMs: 10_000 },
  growth: { warmUpProbes: 200_000, probes: 1_000_000 },
  agent: { windowS: 60, intervalMs: 1000, settleMs: 30_000, windows: 2, sealTimeoutMs: 75_000, afterSealMs: 3000 },
  accuracy: { rounds: 4, intervalMs: 10, probes: 400, warmUpProbes: 100, busyProcesses: 2 },
} as const;

/** What each part is held against. */
export const TARGETS = {
  /** CPU per probe, engine over fping. */
  cpuRatioMax: 0.5,
  /** Probes per second that fell due, at least. */
  rateMin: 49_900,
  lostMax: 0,
  /** Probes that the engine itself admits not to have sent in time, percent of those due. */
  missedPercentMax: 1,
  /** Highest RSS of an agent: STAMP flows per peer beside the one ICMP path, and the target. */
  agents: [
    { flows: 4, rssMbMax: 100 },
    { flows: 9, rssMbMax: 120 },
  ],
  /** Growth over a million probes: a leak of two octets per probe would show. */
  growthMbMax: 2,
  /** Error of the reported round trip, engine over fping. */
  errorRatioMax: 0.2,
} as const;
