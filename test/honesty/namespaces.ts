/** Network namespaces of one test file: named after this process, ended and removed whatever happens inside. */

import { execFileSync, spawnSync } from 'node:child_process';
import { rootMissing } from '../linux/privileges.ts';

const IP = 'ip';
/** What the tests run, in a way that does nothing but succeed. */
const NEEDED = ['ip -V', 'tc -V', 'nft -v', 'unshare --net true'];

/** Why tests in network namespaces cannot run here, or null when they can. */
export function namespacesMissing(): string | null {
  const missing = rootMissing() ?? NEEDED.find((command) => !succeeds(command));
  if (missing === undefined) return null;
  return missing.startsWith('needs') ? missing : `needs "${missing}" to work`;
}

function succeeds(command: string): boolean {
  const [file = '', ...args] = command.split(' ');
  return spawnSync(file, args).status === 0;
}

export class Namespaces {
  readonly #names: ReadonlyMap<string, string>;

  /** Makes a namespace for each of `roles`, loopback up and ICMP errors not rationed. What an ended run left goes first. */
  constructor(file: string, roles: readonly string[]) {
    this.#names = new Map(roles.map((role) => [role, `popprobe-${file}-${role}-${process.pid}`]));
    this.close();
    for (const role of roles) {
      execFileSync(IP, ['netns', 'add', this.name(role)]);
      this.ip(role, 'link set lo up');
      this.set(role, 'net/ipv4/icmp_ratelimit', 0);
      this.set(role, 'net/ipv4/icmp_msgs_per_sec', 1_000_000);
      this.set(role, 'net/ipv4/icmp_msgs_burst', 1_000_000);
      this.set(role, 'net/ipv6/icmp/ratelimit', 0);
    }
  }

  /** The name that the kernel knows a role's namespace by. */
  name(role: string): string {
    const name = this.#names.get(role);
    if (name === undefined) throw new Error(`no namespace for ${role}`);
    return name;
  }

  /** Joins two namespaces by a veth pair, whose ends are named after the other side, and brings both ends up. */
  join(a: string, b: string, aAddresses: readonly string[], bAddresses: readonly string[]): void {
    execFileSync(IP, ['link', 'add', b, 'netns', this.name(a), 'type', 'veth', 'peer', a, 'netns', this.name(b)]);
    const setUp = (device: string, addresses: readonly string[]): string[] => [
      ...addresses.map((address) => `addr add ${address} dev ${device}${address.includes(':') ? ' nodad' : ''}`),
      `link set ${device} up`,
    ];
    this.ip(a, ...setUp(b, aAddresses));
    this.ip(b, ...setUp(a, bAddresses));
  }

  /** Commands for ip(8) in a namespace. */
  ip(role: string, ...commands: readonly string[]): void {
    execFileSync(IP, ['-netns', this.name(role), '-batch', '-'], { input: `${commands.join('\n')}\n` });
  }

  /** Replaces the firewall rules of a namespace; none when empty. */
  nft(role: string, ...rules: readonly string[]): void {
    this.run(role, ['nft', '-f', '-'], `flush ruleset\n${rules.join('\n')}\n`);
  }

  /** Sets a file below /proc/sys, as the namespace sees it. */
  set(role: string, key: string, value: string | number): void {
    this.run(role, ['tee', `/proc/sys/${key}`], String(value));
  }

  /** Runs a program in a namespace to its end; throws when it fails. Returns what it printed. */
  run(role: string, command: readonly string[], input = ''): string {
    return execFileSync(IP, ['netns', 'exec', this.name(role), ...command], { input, encoding: 'utf8' });
  }

  /** Ends every process inside, and removes the namespaces. */
  close(): void {
    const existing = new Set(lines(['netns', 'list']).map((line) => line.split(' ')[0]));
    for (const name of [...this.#names.values()].filter((own) => existing.has(own))) {
      for (const pid of lines(['netns', 'pids', name])) end(Number(pid));
      execFileSync(IP, ['netns', 'delete', name]);
    }
  }
}

function lines(args: readonly string[]): string[] {
  return execFileSync(IP, args, { encoding: 'utf8' }).split('\n').filter(Boolean);
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It ended by itself meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
