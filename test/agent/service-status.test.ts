/** What systemd hears of an agent's life, over a real datagram socket: each state once, whatever is refused in between. */

import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ServiceStatus } from '../../src/agent/service-status.ts';
import { receiverAt } from '../linux/notify-receiver.ts';

const LOG = pino({ level: 'silent' });

/** The messages that have come since the last call, without the time of a reload. */
function heard(receive: () => string | null): string[] {
  const messages: string[] = [];
  for (let next = receive(); next !== null; next = receive()) messages.push(next.replace(/MONOTONIC_USEC=\d+/, 'AT'));
  return messages;
}

function later(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

describe.runIf(process.platform === 'linux')('the service manager', () => {
  const serviceAt = (name: string, condition: () => string): ServiceStatus => {
    const service = ServiceStatus.open(name, condition, LOG);
    onTestFinished(() => service.stop());
    return service;
  };

  it('hears when the agent is ready, what is new of its condition, and that it stops', () => {
    const receive = receiverAt('@popprobe-life');
    let condition = 'probing';
    const service = serviceAt('@popprobe-life', () => condition);
    service.ready();
    service.show();
    condition = 'DEGRADED';
    service.show();
    service.stopping();
    service.show();
    expect(heard(receive)).toEqual([
      'READY=1\nSTATUS=probing',
      'STATUS=DEGRADED',
      'STOPPING=1\nSTATUS=stopping: what was measured is sealed and delivered',
    ]);
  });

  it('waits for the last of several reloads', async () => {
    const receive = receiverAt('@popprobe-reloads');
    const service = serviceAt('@popprobe-reloads', () => 'probing');
    service.ready();
    const [first, second] = [later(), later()];
    const both = [service.whileReloading(first.promise), service.whileReloading(second.promise)];
    first.resolve();
    await both[0];
    const reloading = 'RELOADING=1\nAT\nSTATUS=probing';
    expect(heard(receive)).toEqual(['READY=1\nSTATUS=probing', reloading, reloading]);
    second.resolve();
    await both[1];
    expect(heard(receive)).toEqual(['READY=1\nSTATUS=probing']);
  });

  it('does not hear that an agent is ready that stops while it reloads', async () => {
    const receive = receiverAt('@popprobe-ending');
    const service = serviceAt('@popprobe-ending', () => 'probing');
    const reload = later();
    const ended = service.whileReloading(reload.promise);
    service.stopping();
    reload.resolve();
    await ended;
    expect(heard(receive).at(-1)).toMatch(/^STOPPING=1\n/);
  });

  it('that is not there yet hears it later', () => {
    const service = serviceAt('@popprobe-late', () => 'probing');
    service.ready();
    const receive = receiverAt('@popprobe-late');
    service.show();
    expect(heard(receive)).toEqual(['READY=1\nSTATUS=probing']);
  });
});
