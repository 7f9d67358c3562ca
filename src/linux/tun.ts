/** A TUN device: IP packets that a namespace sends through it are read here, and what is written here arrives there. */

import { closeSync, constants, openSync } from 'node:fs';
import { Arena } from './arena.ts';
import { IFF_NO_PI, IFF_TUN, LAYOUT, TUNSETIFF } from './constants.ts';
import { libc, syscallError } from './libc.ts';

export const TUN_FILE = '/dev/net/tun';

/**
 * Makes a TUN device in the namespace this thread is in; it lives as long as the descriptor is open. One read gives one
 * packet, one write takes one.
 *
 * @param device its name, at most 15 octets of ASCII
 * @returns the non-blocking descriptor
 * @throws PopprobeError syscall_failed when the kernel refuses; an Error of node:fs without /dev/net/tun
 */
export function openTun(device: string): number {
  const fd = openSync(TUN_FILE, constants.O_RDWR | constants.O_NONBLOCK);
  const { ifreq } = LAYOUT;
  const request = new Arena(ifreq.size);
  request.octets.set(new TextEncoder().encode(device), ifreq.ifr_name);
  request.view.setUint16(ifreq.ifr_flags, IFF_TUN | IFF_NO_PI, true);
  if (libc().ioctl(fd, TUNSETIFF, request.address(0)) === 0) return fd;
  const errno = libc().errno();
  closeSync(fd);
  throw syscallError(
    `making the TUN device ${device}`,
    errno,
    'run as root, with CAP_NET_ADMIN, where TUN is permitted',
  );
}
