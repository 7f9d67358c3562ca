/** Tells systemd what the service is at and how it is doing: the notify protocol of sd_notify(3), one datagram a message. */

import { NS_PER_US } from '../base/units.ts';
import { Arena } from './arena.ts';
import { AF_UNIX, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_DGRAM } from './constants.ts';
import { errnoSentence } from './errno.ts';
import { libc } from './libc.ts';

/** sun_family, then the path: 108 octets (unix(7)). */
const PATH_AT = 2;
const PATH_BYTES_MAX = 108;
/** A line of a person's terminal and some more; what is longer is cut. */
const TEXT_BYTES_MAX = 512;

/** What a service can be at: started, reading its configuration again, or on its way out. */
export type ServiceState = 'ready' | 'reloading' | 'stopping';

export class ServiceManager {
  readonly #fd: number;
  readonly #arena = new Arena(1024);
  readonly #address: number;
  readonly #addressBytes: number;
  readonly #text: number;

  private constructor(fd: number, path: Buffer) {
    this.#fd = fd;
    this.#address = this.#arena.take(PATH_AT + PATH_BYTES_MAX);
    this.#addressBytes = PATH_AT + path.length;
    this.#arena.view.setUint16(this.#address, AF_UNIX, true);
    this.#arena.octets.set(path, this.#address + PATH_AT);
    this.#text = this.#arena.take(TEXT_BYTES_MAX);
  }

  /**
   * The manager that has started this process; null where none has.
   *
   * @param socket value of NOTIFY_SOCKET: a path, or with a leading `@` a name in the abstract namespace
   * @throws PopprobeError kernel_unavailable without koffi
   */
  static open(socket: string | undefined): ServiceManager | null {
    if (socket === undefined || !/^[/@]./.test(socket)) return null;
    const path = Buffer.from(socket.replace(/^@/, '\0'));
    if (path.length > PATH_BYTES_MAX) return null;
    const fd = libc().socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? null : new ServiceManager(fd, path);
  }

  /**
   * Says what the service is at, unless that is null, and shows a line in `systemctl status`. Returns null, or a sentence
   * that says why it was not taken; never waits.
   */
  tell(state: ServiceState | null, line: string): string | null {
    const { octets } = this.#arena;
    const { written } = new TextEncoder().encodeInto(
      [...(state === null ? [] : assignmentsOf(state)), `STATUS=${line.replaceAll('\n', ' ')}`].join('\n'),
      octets.subarray(this.#text, this.#text + TEXT_BYTES_MAX),
    );
    const [text, address] = [this.#arena.address(this.#text), this.#arena.address(this.#address)];
    const sent = libc().sendto(this.#fd, text, written, MSG_DONTWAIT, address, this.#addressBytes);
    return sent < 0 ? errnoSentence(libc().errno()) : null;
  }

  close(): void {
    libc().close(this.#fd);
  }
}

function assignmentsOf(state: ServiceState): string[] {
  if (state === 'ready') return ['READY=1'];
  if (state === 'stopping') return ['STOPPING=1'];
  // With Type=notify-reload systemd tells by the time which of its requests this answers. hrtime is CLOCK_MONOTONIC.
  return ['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / BigInt(NS_PER_US)}`];
}
