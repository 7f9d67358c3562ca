/** What the agent answers on its Unix socket: how all of its stages are doing, path traces, and the care of its spool. */

import type { Measuring } from '../probe/measuring.ts';
import type { ClockWatch } from './clock-watch.ts';
import type { HeldCourse } from './course.ts';
import type { DocumentQueue } from './document-queue.ts';
import type { Events } from './events.ts';
import type { KeyChange } from './key-change.ts';
import type { Route } from './local-api.ts';
import type { Pusher } from './push.ts';
import type { Reload } from './reload.ts';
import { metricsText } from './metrics.ts';
import { spoolAnswers } from './spool-answers.ts';
import type { Spool } from './spool.ts';
import { statusText } from './status-text.ts';
import type { PackedStatus } from './status.ts';
import type { Identity } from './summarize.ts';
import { readTraceQuestion } from './trace-question.ts';
import type { Traces } from './traces.ts';

/** The stages that are asked. */
export interface Answering {
  identity: Identity;
  measuring: Measuring;
  startedAt: string;
  held: HeldCourse;
  clockWatch: ClockWatch;
  pusher: Pusher;
  spool: Spool;
  keys: KeyChange;
  documents: DocumentQueue;
  events: Events;
  traces: Traces;
  reload: Reload;
}

/** Of the Prometheus text exposition format. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export function answers(stages: Answering): Route[] {
  return [
    { method: 'GET', path: '/v1/status', answer: () => statusText(statusOf(stages)) },
    { method: 'GET', path: '/metrics', type: METRICS_TYPE, answer: () => metricsText(statusOf(stages)) },
    {
      method: 'POST',
      path: '/v1/trace',
      answer(text) {
        const { peer, family } = readTraceQuestion(text);
        return stages.traces.request(peer, family);
      },
    },
    ...spoolAnswers(stages.spool, stages.held.course.config.spool.directory),
  ];
}

function statusOf({ identity, startedAt, measuring, held, ...stages }: Answering): PackedStatus {
  return {
    pop: identity.pop,
    boot_id: identity.bootId,
    software: identity.software,
    started_at: startedAt,
    config: stages.reload.status(),
    sockets: held.course.probing.sockets,
    transport_reason: measuring.reason,
    clock: stages.clockWatch.state,
    push: stages.pusher.status(),
    spool: stages.spool.status(),
    signing: stages.keys.status,
    sealing: stages.documents.status(),
    clock_steps_untold: stages.events.clockStepsUntold,
    traces: stages.traces.status(),
    latest: stages.documents.latest,
  };
}
