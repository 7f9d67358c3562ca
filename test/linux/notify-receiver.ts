/** What systemd is to a service: a datagram socket that receives its notifications. */

import { expect, onTestFinished } from 'vitest';
import { Arena } from '../../src/linux/arena.ts';
import { libc } from '../../src/linux/libc.ts';

const AF_UNIX = 1;
const SOCK_DGRAM_NONBLOCK = 2 | 0x800;

/** A socket at this path, or with a leading `@` in the abstract namespace. The function returns what it received next, or null. */
export function receiverAt(name: string): () => string | null {
  const fd = libc().socket(AF_UNIX, SOCK_DGRAM_NONBLOCK, 0);
  onTestFinished(() => void libc().close(fd));
  const arena = new Arena(1024);
  const address = arena.take(112);
  const path = Buffer.from(name.replace('@', '\0'));
  arena.view.setUint16(address, AF_UNIX, true);
  arena.octets.set(path, address + 2);
  expect(libc().bind(fd, arena.address(address), 2 + path.length)).toBe(0);
  const text = arena.take(800);
  return () => {
    const length = libc().read(fd, arena.address(text), 800);
    return length < 0 ? null : Buffer.from(arena.octets.subarray(text, text + length)).toString();
  };
}
