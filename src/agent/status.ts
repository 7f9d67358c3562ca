/** What a running agent answers when it is asked how it is doing. */

import type { ClockState } from '../linux/clock-state.ts';
import type { OpenedSocket } from '../probe/opened-socket.ts';
import type { PushStatus } from './push.ts';
import type { ReloadStatus } from './reload.ts';
import type { Summary } from '../protocol/summary.ts';
import type { QueueStatus } from './document-queue.ts';
import type { SigningStatus } from './seal.ts';
import type { SpoolStatus } from './spool-status.ts';
import type { TracesStatus } from './traces.ts';

/** The answer to `GET /v1/status` on the agent's Unix socket. */
export interface AgentStatus {
  pop: string;
  boot_id: string;
  software: string;
  started_at: string;
  config: ReloadStatus;
  sockets: readonly OpenedSocket[];
  /** Why the kernel does not stamp the packets; null when it does. */
  transport_reason: string | null;
  clock: ClockState;
  push: PushStatus;
  spool: SpoolStatus;
  signing: SigningStatus;
  sealing: QueueStatus;
  /** Steps of the clock that became no record, because their window had too many; it counts them all. */
  clock_steps_untold: number;
  traces: TracesStatus;
  /** The newest sealed summary; null before the first. */
  latest: Summary | null;
}

/** The same as the agent holds it, with the newest summary's octets gzipped: it is a megabyte, and rarely asked for. */
export type PackedStatus = Omit<AgentStatus, 'latest'> & { latest: Uint8Array | null };
