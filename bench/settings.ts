/** Every duration, size and target of the benchmarks in one table. */

export const SETTINGS = {
  /** Addresses at the far end: as many peers as a large backbone has. */
  targets: 200,
  /** A reply after this long is lost. */
  tmaxMs: 1000,
  /** Octets of ICMP payload: what fping and ping send unless told otherwise. */
  echoBytes: 56,
  /** Octets of UDP payload: the STAMP packet without TLVs. */
  stampBytes: 44,
  stampPort: 862,
  sourcePort: 18_620,
  flows: 4,

  /** V8 takes about a minute to optimise the last of what runs once a tick; programs in C need no more than their start. */
  cpu: { rounds: 3, engineWarmUpMs: 60_000, nativeWarmUpMs: 2000, measureMs: 10_000, perTargetMs: 200 },
  /** With 200 targets: 50,000 ICMP and 100,000 STAMP probes/s. */
  throughput: { icmpPathsPerTarget: 5, stampPathsPerTarget: 10, perPathMs: 20, measureMs: 10_000 },
  growth: { warmUpProbes: 200_000, probes: 1_000_000 },
  /** 24 peers of four STAMP flows and one ICMP path at 1/s: 10,368,000 probes in a day. */
  day: { peers: 24, flows: 4, windowS: 60, intervalMs: 1000, hours: 24 },
  agent: { windowS: 60, intervalMs: 1000, settleMs: 30_000, windows: 2, sealTimeoutMs: 75_000, afterSealMs: 3000 },
  lab: { settleMs: 15_000, measureMs: 30_000, port: 18_790 },
  accuracy: { rounds: 4, intervalMs: 10, probes: 400, warmUpProbes: 100, busyProcesses: 2 },
  /** Documents are of two peers, those that are sealed of 200; one is sealed now and then while a backlog drains. */
  delivery: {
    peers: 200,
    warmUp: 20,
    documents: 300,
    spool: { maxBytes: 4 * 1024 * 1024 * 1024, maxAgeH: 24 },
    backlogs: [1000, 100_000],
    openRounds: 9,
    longBacklog: 10_000,
    crowds: [
      { agents: 50, documents: 200 },
      { agents: 1000, documents: 15 },
    ],
    freshEveryMs: 200,
  },
  /** Packets through every decoder, and of these through a live reflector. */
  fuzz: { packets: 10_000_000, livePackets: 10_000_000, sessions: 16 },
} as const;

/** What each part is held against. */
export const TARGETS = {
  /** CPU per probe: engine over fping at even pacing, over fping in bursts, over the same loop in C. */
  cpuOverEvenFpingMax: 0.4,
  cpuOverBurstFpingMax: 1,
  cpuOverFloorMax: 1.6,
  /** Probes per second that fell due, at least. */
  icmpRateMin: 49_900,
  stampRateMin: 99_800,
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
  /** Growth from the second quarter of a day to the last: a leak of half an octet per probe would show. */
  dayGrowthMbMax: 2,
  /** Error of the reported round trip, engine over the best of the other tools. */
  medianErrorRatioMax: 0.1,
  p99ErrorRatioMax: 0.2,
  /** The emulator of the lab leaves most of the machine to the agents, and its delays are those of the scenario. */
  labCpuPercentMax: 50,
  labErrorUsMax: 200,
  /** From the seal of a window until it is on the disk. */
  sealP99MsMax: 20,
  /** Until an agent with a long backlog has its spool open. */
  spoolOpenMsMax: 2000,
  /** What a hundred times the backlog costs of its memory: eleven octets a document would show. */
  backlogRssMbMax: 1,
  /** Documents per second from one agent's backlog to the collector's disk. */
  drainPerSecondMin: 300,
  /** What is sealed while backlogs drain is delivered within a second. */
  freshP99MsMax: 1000,
  fuzzViolationsMax: 0,
} as const;
