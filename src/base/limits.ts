/** Every limit of the product in one table, each with its reason. */

import { NS_PER_MS, NS_PER_S } from './units.ts';

export const LIMITS = {
  /** PoPs in one mesh: ids are 12 bits of the STAMP SSID. */
  popsMax: 4095,
  /** Octets of one configuration file: a mesh of 4095 PoPs takes up to 300,000. */
  configFileBytesMax: 1024 * 1024,
  /** Indentation plus indicators of a line of YAML: our files need 8, and the parser recurses once per level. */
  configNestingMax: 64,
  /** Expansions of YAML aliases: enough for a shared value, too few for a "billion laughs". */
  configAliasesMax: 100,
  /** Problems reported of one run of checks: nobody reads more, and a binary file has thousands. */
  configProblemsMax: 200,
  /** Octets of a key file: an Ed25519 key needs 200, a file of another kind must not be read whole. */
  keyFileBytesMax: 16 * 1024,
  /** Octets of a file of certificates: the public authorities of a Debian host together are 220 kB. */
  certificateFileBytesMax: 1024 * 1024,
  /** URLs of collectors that one agent knows: two sites with two machines each. */
  collectorUrlsMax: 4,
  /** Public keys of one PoP at the collector: rotation needs two at a time, and old evidence stays verifiable. */
  keysPerPopMax: 16,
  /** Keys of one authenticated STAMP session: rotation needs the new one beside the old. */
  stampKeysPerSessionMax: 2,
  /** STAMP packets per second that a reflector answers of one session: the same as the default of probes per peer. */
  reflectedPerSecondDefault: 200,
  reflectedPerSecondMax: 10_000,
  /** TWAMP-Light senders that a reflector answers: a few neighbours; more would make the agent a public service. */
  twampSendersMax: 64,
  /** Octets of a Unix socket's path: sun_path has 108 with the closing NUL (unix(7)). */
  socketPathBytesMax: 107,
  /** Flows over all STAMP probe classes: the other 4 bits of the SSID. */
  flowsMax: 16,
  /** STAMP sessions of one peer that a summary names: the flows of the mesh in force, and of the one that follows it. */
  reflectedSessionsMax: 32,
  /** ICMP probe classes: with the 12 bits of the PoP's id they make the 16 bits of the ICMP identifier. */
  icmpClassesMax: 16,
  /** Paths of one agent: packets carry their number in 16 bits, and the paths to the PoP itself need a few. */
  pathsMax: 65_520,
  /** Time between two probes of a path to the PoP itself: one a second tells the host's own share, and costs nothing. */
  floorIntervalMs: 1000,
  /** Probes per second that a mesh may allow an agent: twice what two cores carry without false loss (bench/README.md). */
  probesPerSecondMax: 100_000,
  /** What it allows by saying nothing, so that a typo floods nobody: 100 peers with the default per peer. */
  probesPerSecondDefault: 20_000,
  /** Probes per second towards one peer: more than the SLA can use, less than a router's control plane notices. */
  probesPerSecondPerPeerMax: 1000,
  /** Two probes every 10 ms: the densest stream that anybody needs without having thought about it. */
  probesPerSecondPerPeerDefault: 200,
  /** Bits per second towards one peer as IP packets: the most probes of the largest size, an Ethernet MTU of 1500. */
  bitsPerSecondPerPeerMax: 12_000_000,
  /** A thousandth of a link of 1 Gbit/s. */
  bitsPerSecondPerPeerDefault: 1_000_000,
  /** Time between two probes of a path: a millisecond is the schedule's finest step, a minute its coarsest use. */
  intervalMsMin: 1,
  intervalMsMax: 60_000,
  /** Octets of shared memory for the ring: a typo in an interval must not eat the host. */
  ringBytesMax: 1024 * 1024 * 1024,
  /** Summary windows: short enough to show an outage soon, long enough for a percentile to mean something. */
  windowSecondsMin: 5,
  windowSecondsMax: 300,
  /** A reply after this long is lost (RFC 8912 section 4.2.2: 3.0 s). */
  tmaxMsDefault: 3000,
  tmaxMsMin: 100,
  tmaxMsMax: 10_000,
  /** The tick of the probing thread, and the shortest that it has without being told: faster, waking takes half the CPU. */
  tickMsMin: 1,
  tickMsMax: 50,
  tickMsDefaultMin: 5,
  /** Messages per sendmmsg or recvmmsg call: beyond 64 the system call's own cost no longer shows. */
  batchMessages: 64,
  /** Packets that a reflector's session may send at once, as seconds of its rate: what a stalled sender catches up with. */
  reflectorBurstS: 2,
  /** Octets of one probe packet as UDP or ICMP payload: an Ethernet frame without fragmentation. */
  packetBytesMax: 1472,
  /** The same behind the longer header of IPv6. */
  packetBytesMaxIpv6: 1452,
  /** Receive buffer asked from the kernel; it also holds undelivered TX stamps, so it must be ample. */
  receiveBufferBytes: 8 * 1024 * 1024,
  /** Datagrams that wait in a portable transport for the next tick: the longest sleep at 20,000 replies/s. */
  portableQueueDatagrams: 1024,
  /** The probing thread sleeps no longer than this, so that replies and errors are read even when nothing is due. */
  sleepNsMax: 50 * NS_PER_MS,
  /**
   * How often a thread asks whether its sockets dropped anything: seldom enough to cost nothing. No probe is called lost
   * before it was asked.
   */
  blindnessCheckNs: 100 * NS_PER_MS,
  /**
   * A socket whose buffer cannot be looked into, and that was not read for this long, may have lost replies: at 768
   * octets a small datagram, the 425,984 that Linux grants where net.core.rmem_max is not raised hold 150 ms of 3,700/s.
   */
  deafNs: 150 * NS_PER_MS,
  /** A wake-up this much later than asked for, or a tick that takes this long, is a stall, and counted. */
  stallNs: 100 * NS_PER_MS,
  /** A software TX stamp further than this from the user-space stamp belongs to another packet or a stepped clock. */
  txStampDistanceNsMax: NS_PER_S,
  /** How often the agent asks for its clock's state: NTP polls no faster (RFC 5905 MINPOLL), so nothing is new sooner. */
  clockStateEveryMs: 16_000,
  /** chronyd answers on the loopback within a millisecond; longer than this it is stopped or not there. */
  chronyAnswerMs: 200,
  /** Rows of ICMP errors by type, code and sender in a path's window: a path that loops through more routers is lost anyhow. */
  unreachableRowsMax: 64,
  /** A summary as signed octets: 200 peers with 5 paths each are about 1.5 MB. */
  summaryBytesMax: 8 * 1024 * 1024,
  /** A summary as it travels, compressed. */
  summaryBodyBytesMax: 4 * 1024 * 1024,
  /** A record as signed octets: the longest path trace and the most runs of numbers take 12 kB each. */
  recordBytesMax: 64 * 1024,
  /** Levels of arrays and objects in a document: ours have 7, and a parser may spend memory or stack on each. */
  documentLevelsMax: 32,
  /** Members of one array or object of a document: a mesh has 4095 peers; a validator takes seconds over half a million. */
  documentMembersMax: 4096,
  /** The detached JWS in its header line. */
  signatureLineBytesMax: 2048,
  /** Octets the spool may hold when the configuration says nothing. */
  spoolBytesDefault: 256 * 1024 * 1024,
  /** Octets the spool may be given: a month of one-minute summaries of 1.5 MB; a typo must not fill the disk. */
  spoolBytesMax: 64 * 1024 * 1024 * 1024,
  /** Hours that a document waits when the configuration says nothing: a month's report and the time to dispute it. */
  spoolAgeHoursDefault: 45 * 24,
  /** Hours that it may be told to wait: a year; nobody pays credits for what is older. */
  spoolAgeHoursMax: 366 * 24,
  /** A document must look too old for this long before it goes: a clock that starts in another year is set right within minutes. */
  spoolAgeGraceMs: 60 * 60_000,
  /** Documents that leave the spool in one step: each step is remembered by one write, and holds up an append. */
  spoolStepDocuments: 500,
  /** Octets set aside on the spool's disk: on a full one it can still be written down what was delivered and what was given up. */
  spoolReserveBytes: 32 * 1024,
  /** How long the main thread reads a folder before it lets others run, ms: a tenth of a second is felt by who asks. */
  folderSliceMs: 20,
  /** Runs of numbers in one gap record: documents go oldest first, so that they are few; what is beyond waits for the next. */
  gapRangesMax: 256,
  /** Runs that wait to be declared, for each reason: four records full, and 40 kB to write each time one is added. */
  gapRangesKeptMax: 1024,
  /** Octets of a file that may be a gap record: 256 runs of two numbers of 16 digits, and its frame. A key's is smaller. */
  gapRecordBytesMax: 16 * 1024,
  /** Files in a new spool folder that are set aside as strays: where there are more, the folder is somebody's. */
  spoolStrayFilesMax: 4,
  /** Blocks of 4096 numbers whose documents are listed in memory: 800 kB, and an unbroken chain of eight years of minutes. */
  spoolIndexBlocksMax: 1024,
  /** Announcements of keys that a full spool keeps, each of 1 kB: five years of a new key a month. */
  spoolAnnouncementsMax: 64,
  /** Oldest files of the quarantine that are remembered, so that a full one is not read anew for each file that comes. */
  quarantineOldestMax: 1024,
  /** Documents named in one question to the agent: 16 digits each, within a question's octets. */
  spoolQuestionDocuments: 200,
  /** What "popprobe spool" waits for: so many large documents read and moved on a slow disk. */
  spoolAnswerMsMax: 60_000,
  /** A loaded configuration as JSON: a mesh of the largest size, several times over. */
  loadedConfigBytesMax: 16 * 1024 * 1024,
  /** Summaries kept in memory while the disk refuses them: an hour of the default windows. */
  summariesWaitingMax: 60,
  /** Characters of events kept in memory meanwhile: 200 path traces, or every pair of the largest mesh turning seven times. */
  recordCharactersWaitingMax: 2 * 1024 * 1024,
  /** Records of clock steps in one window: a clock that is set each second is one trouble, not sixty. */
  clockStepsPerWindowMax: 4,
  /** Time without any trouble after which the instrument is well again: as long as a default window. */
  instrumentWellNs: 60 * NS_PER_S,
  /** Seconds in a row that turn a pair bad, and good again: one bad second is a burst, three are an outage. */
  pairTurnSeconds: 3,
  /** Seconds that are judged late, after a stall of the main thread: older ones say nothing about now. */
  pairSecondsLateMax: 60,
  /** Hops of a path trace: traceroute's own limit; the Internet is less than 30 wide. */
  traceHopsMax: 30,
  /** Probes per hop: two show that paths differ, three that one of them was lost. */
  traceProbesPerHop: 3,
  /** Hops in a row without an answer: behind five of them nobody has been seen to answer. */
  traceSilentHopsMax: 5,
  /** A router that answers later than this is silent: around the world and back takes 400 ms. */
  traceProbeTimeoutMs: 1000,
  /** A trace ends after this, whatever keeps it: 30 silent hops of one second each, and some more. */
  traceMsMax: 40_000,
  /** Time between two traces to the same peer: routers limit their answers, and a flapping pair tells nothing new. */
  traceIntervalS: 300,
  /** Characters of the reason why a trace failed: a sentence of ours with an errno in words. */
  traceFailureCharactersMax: 200,
  /** What "popprobe trace" waits for: the trace that is running, and its own. */
  traceAnswerMsMax: 120_000,
  /** Octets of a question to the agent's Unix socket: a name and a word. */
  questionBytesMax: 4096,
  /** Backoff of the pusher between tries, full jitter below the ceiling. */
  pushBackoffMsMin: 500,
  pushBackoffMsMax: 60_000,
  /** The same after a collector's 429: it works, and a thousand agents that ask every few seconds cost it a fiftieth of its time. */
  pushBusyBackoffMsMax: 8000,
  /** A collector that does not take the connection, answer, or end its answer within this is tried again. */
  pushTimeoutMs: 10_000,
  /** The same for a whole try: a proxy adds steps of its own, which no timeout of a step covers. */
  pushTryMsMax: 40_000,
  /** How often a preferred collector that failed is asked again while another one is used: soon, and a try costs little. */
  failbackEveryMs: 60_000,
  /** Documents that wait and are still sent in their order at once: one that failed, and one that came meanwhile. */
  pushInOrderMax: 2,
  /** Documents of a backlog under way at a time: over a round trip of 50 ms they are 300 a second. */
  pushBacklogWidthMax: 16,
  /** Octets of the documents under way, as they are read: three of the largest mesh; a single one may always go. */
  pushBytesUnderWayMax: 4 * 1024 * 1024,
  /** An answer that takes longer says that the collector, or the way to it, has enough to do: around the world takes 0.4 s. */
  pushSlowMs: 1000,
  /** Until an agent begins with its backlog, at random: many that find their collector again do not begin at one instant. */
  catchUpStartMsMax: 1000,
  /** Longest wait a collector may ask for with Retry-After: maintenance takes minutes, a mistake must not cost a day. */
  retryAfterMsMax: 10 * 60_000,
  /** What a try that is under way may still take when the agent stops: systemd waits, but not for a dead collector. */
  pushStopGraceMs: 2000,
  /** Octets of log lines that wait for the disk to have room: how it began is worth more than how it went on. */
  logWaitingBytesMax: 64 * 1024,
  /** Octets read of a collector's answer: a code and a sentence need no more. */
  answerBytesMax: 16 * 1024,
  /** Octets kept in the spool's quarantine: as much as the spool itself, some days of refused documents. */
  quarantineBytesMax: 256 * 1024 * 1024,
  /** A sender must have delivered its whole request to the collector within this, or it holds a connection for nothing. */
  ingestRequestTimeoutMs: 30_000,
  /** Documents that the collector verifies and stores at a time: as many share a commit on a slow disk; each takes memory. */
  ingestAtOnceMax: 32,
  /** Documents that wait for it besides: half a second's work at 600 small ones/s. What comes then is told to come later. */
  ingestDocumentsMax: 256,
  /** Of these the backlogs of PoPs that catch up may fill so many: the rest is for what is sealed now. */
  ingestBacklogMax: 192,
  /** Octets of all of them as sent: of the largest, which take the longest, there may be fewer. */
  ingestBytesMax: 64 * 1024 * 1024,
  /** Longer than this none is to wait, whatever they cost: a sender gives up after five times that. */
  ingestWaitMsMax: 2000,
  /** Retry-After of an answer 429, seconds: the queue is a matter of seconds, and senders add their own jitter. */
  busyRetryAfterS: 2,
  /** Octets of bodies that are being received, whose senders nobody has verified yet: 64 of the largest. */
  receivedBytesMax: 256 * 1024 * 1024,
  /** Questions of readers that are answered at a time: each may hold a document of 8 MiB until its reader has taken it. */
  readersAtOnceMax: 64,
  /** A connection on which nothing moves for so long is closed: its reader does not read. A sender has half of it. */
  connectionSilentMsMax: 60_000,
  /** What sends something else than HTTP has so long to read that it does, and is cut off then. */
  brokenConnectionMsMax: 2000,
  /** Requests that have begun when the collector stops have so long to end: who is cut off then sends his document again. */
  collectorStopGraceMs: 5000,
  /** Octets of a refused, oversized body that are read and thrown away, so that its sender gets to see the answer. */
  refusedBodyDrainBytesMax: 64 * 1024 * 1024,
  /** How long a write waits for another process that holds the database: ingestion stands still meanwhile. */
  storeBusyTimeoutMs: 1000,
  /** Conflicting documents that a collector keeps of one PoP, and their octets: the first tell how the trouble began. */
  conflictsPerPopMax: 100,
  conflictBytesPerPopMax: 64 * 1024 * 1024,
  /** Events on one page of a collector's list, with a path trace of 12 kB each: 2.4 MB of JSON. */
  listedEventsMax: 200,
  /** Runs of missing numbers on one page of a collector's list. */
  listedGapsMax: 1000,
  /**
   * A document whose time ends this much later than the collector's clock says is from the future: an agent that stops
   * seals the window that runs, which ends in 300 s at most, and clocks that differ by a minute more are not synchronised.
   */
  clockSkewMsMax: 6 * 60_000,
  /** Documents that share one commit, and their octets: as many as the collector handles in a tenth of a second. */
  commitDocumentsMax: 64,
  commitBytesMax: 1024 * 1024,
  /** Documents on one page of a collector's list: 130 kB of JSON, and some milliseconds of the database. */
  listedDocumentsMax: 1000,
  /** Octets of such a page: what it takes, several times over. */
  documentListBytesMax: 1024 * 1024,
  /** Documents that a verification has on their way at a time: hides a distant collector's round trip, holds 64 MiB at most. */
  evidenceFetchesMax: 8,
  /** A collector that does not answer a reader within this is out of reach: a page or a document takes it milliseconds. */
  collectorAnswerMsMax: 30_000,
  /** Faults that a verification lists; it counts all. Two months of windows with two faults each. */
  evidenceFaultsMax: 200_000,
  /** Notes of one PoP's chain that it lists; it counts all. A month in which the agent was restarted every minute. */
  evidenceNotesMax: 50_000,
  /** Disputed paths listed below the mesh on a terminal: more would push the table off the screen. */
  disputesShownMax: 8,
  /** Retry-After of an answer 503, seconds: a full disk is not freed sooner. */
  storeRetryAfterS: 30,
  /** PoPs of an emulated backbone: each has an agent, a TUN device and an octet of the addresses; one host runs no more. */
  labPopsMax: 64,
  /** One-way delay in the lab, and each of its parts: half of the longest Tmax. */
  labDelayMsMax: 5000,
  /** Members of an ECMP group in the lab: as many as a probe class may have flows, which alone tell members apart. */
  labMembersMax: 16,
  /** Routers on one way of the lab: with the one before the collector still less than a path trace looks for. */
  labHopsMax: 20,
  /** A line of the lab in kbit/s: 10 Gbit/s, more than probes can fill. */
  labRateKbitMax: 10_000_000,
  /** Events of one scenario: every combination of them is checked against Tmax. */
  labEventsMax: 200,
  /** When an event of a scenario begins, and how long it lasts: a day. */
  labEventSecondsMax: 86_400,
  /** What an event may multiply a delay by. */
  labDelayFactorMax: 100,
  /** Packets on their way in the lab at any time: a second of 16,000 packets/s; what finds no room is dropped and counted. */
  labPacketsMax: 16_384,
  /** Packets that a host of the lab may have sent and the emulator not yet read. */
  labDeviceQueuePackets: 10_000,
  /** Connections at a time to the collector of a lab from outside: browsers open six, scripts one. */
  labWebConnectionsMax: 64,
  /** A clock in the lab is wrong by no more than an hour: more is another time zone, not drift. */
  labClockOffsetMsMax: 3_600_000,
} as const;
