/** A real network of four namespaces in a row, host - router - router - host, with IPv4 and IPv6 on every link. */

import { execFileSync } from 'node:child_process';

/** The namespaces in the order in which a packet from the first to the last passes them. */
const NODES = ['a', 'r1', 'r2', 'b'] as const;

export type Node = (typeof NODES)[number];

/** Who answers a trace from `a` to `b`, hop by hop; the last one is `b`. */
export const HOPS = {
  ipv4: ['198.18.1.2', '198.18.2.2', '198.18.3.2'],
  ipv6: ['2001:db8:1::2', '2001:db8:2::2', '2001:db8:3::2'],
} as const;

/** The two hosts. */
export const HOSTS = {
  a: { ipv4: '198.18.1.1', ipv6: '2001:db8:1::1' },
  b: { ipv4: '198.18.3.2', ipv6: '2001:db8:3::2' },
} as const;

export class RouterChain {
  /** Tells apart the chains of test files that run at the same time. */
  readonly #prefix: string;

  private constructor(prefix: string) {
    this.#prefix = prefix;
  }

  static create(name: string): RouterChain {
    const chain = new RouterChain(`pp-${name}-${process.pid}`);
    for (const node of NODES) chain.#addNode(node);
    for (const [index, left] of NODES.slice(0, -1).entries()) {
      const right = NODES[index + 1];
      if (right) chain.#addLink(index + 1, left, right);
    }
    // Towards the ends: all of the benchmarking network, and all of the documentation's.
    chain.#route('a', '198.18.0.0/15', '198.18.1.2', '2001:db8:1::2');
    chain.#route('r1', '198.18.3.0/24', '198.18.2.2', '2001:db8:2::2');
    chain.#route('r2', '198.18.1.0/24', '198.18.2.1', '2001:db8:2::1');
    chain.#route('b', '198.18.0.0/15', '198.18.3.1', '2001:db8:3::1');
    // The kernel needs a second or two to find that a link is up, and who its neighbours are.
    for (const address of Object.values(HOSTS.b)) chain.run('a', `ping -c 1 -i 0.1 -w 20 ${address}`);
    return chain;
  }

  namespace(node: Node): string {
    return `${this.#prefix}-${node}`;
  }

  /** Runs a shell command on a node and returns what it prints. Throws with what it says when it fails. */
  run(node: Node, command: string): string {
    return execFileSync('ip', ['netns', 'exec', this.namespace(node), 'sh', '-ec', command], { encoding: 'utf8' });
  }

  /** The beginning of a command line that runs a program on a node. */
  launcher(node: Node): string[] {
    return ['ip', 'netns', 'exec', this.namespace(node)];
  }

  /** A router that forwards as before, but sends nothing of its own: no trace sees it. Returns what undoes it. */
  mute(node: Node): () => void {
    const both = (verb: string): unknown =>
      this.run(node, ['ip', 'ip -6'].map((ip) => `${ip} rule ${verb} iif lo blackhole priority 1`).join('\n'));
    both('add');
    return () => both('delete');
  }

  /** A router that lets everything towards `b` vanish without a word. Returns what undoes it. */
  blackhole(node: Node): () => void {
    const both = (verb: string): unknown =>
      this.run(
        node,
        `ip rule ${verb} to 198.18.3.0/24 blackhole priority 1
         ip -6 rule ${verb} to 2001:db8:3::/64 blackhole priority 1`,
      );
    both('add');
    return () => both('delete');
  }

  /** The link on the right of a node, as if its cable were pulled. Returns what plugs it in again, for IPv4. */
  pullCable(node: Node): () => void {
    const routes = this.run(node, 'ip route show dev right').split('\n');
    this.run(node, 'ip link set right down');
    return () => {
      // The kernel has forgotten what led over the link, but for the link's own network.
      const lost = routes.filter((route) => route.includes(' via '));
      this.run(node, ['ip link set right up', ...lost.map((route) => `ip route add ${route} dev right`)].join('\n'));
    };
  }

  close(): void {
    for (const node of NODES) execFileSync('ip', ['netns', 'delete', this.namespace(node)]);
  }

  #addNode(node: Node): void {
    execFileSync('ip', ['netns', 'add', this.namespace(node)]);
    this.run(
      node,
      `ip link set lo up
       echo 1 > /proc/sys/net/ipv4/ip_forward
       echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
       # A kernel answers one host six times and then once a second: too little for tests that follow one another.
       echo 0 > /proc/sys/net/ipv4/icmp_ratelimit
       echo 0 > /proc/sys/net/ipv6/icmp/ratelimit`,
    );
  }

  /** The link number N has the networks 198.18.N.0/24 and 2001:db8:N::/64; its left end is 1, its right end 2. */
  #addLink(number: number, left: Node, right: Node): void {
    const [near, far] = [this.namespace(left), this.namespace(right)];
    execFileSync('ip', ['-n', near, 'link', 'add', 'right', 'type', 'veth', 'peer', 'name', 'left', 'netns', far]);
    for (const [node, device, host] of [
      [left, 'right', 1],
      [right, 'left', 2],
    ] as const) {
      this.run(
        node,
        `ip address add 198.18.${number}.${host}/24 dev ${device}
         ip address add 2001:db8:${number}::${host}/64 dev ${device} nodad
         ip link set ${device} up`,
      );
    }
  }

  #route(node: Node, network: string, viaIpv4: string, viaIpv6: string): void {
    this.run(node, `ip route add ${network} via ${viaIpv4}; ip -6 route add 2001:db8::/32 via ${viaIpv6}`);
  }
}
