/** Real agents and a collector behind TLS: with a certificate that will not do nothing leaves the host, and everybody is told why. */

import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AgentStatus } from '../../src/agent/status.ts';
import { Authority, type Issued } from '../agent/authority.ts';
import { rootMissing, toolsMissing } from '../linux/privileges.ts';
import { breakIn, spooledNumbers, storedChain } from './chain-on-disk.ts';
import { MeshRig, type Program } from './mesh-rig.ts';

const missing = rootMissing() ?? toolsMissing('openssl');

/** Ends TLS before a collector that speaks plain HTTP. */
class Front {
  /** Octets of requests that came through the handshake. */
  received = 0;
  readonly #server: Server;

  constructor({ cert, key }: Issued, collectorPort: number) {
    this.#server = createServer({ cert, key }, (socket) => {
      const collector = connect(collectorPort, '127.0.0.1');
      socket.on('data', ({ length }: Buffer) => (this.received += length));
      socket.on('error', () => collector.destroy());
      collector.on('error', () => socket.destroy());
      socket.pipe(collector).pipe(socket);
    });
    // A client that hangs up over the certificate is what this is for.
    this.#server.on('tlsClientError', () => undefined);
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Shows this certificate to whoever connects from now on. */
  show({ cert, key }: Issued): void {
    this.#server.setSecureContext({ cert, key });
  }

  close(): void {
    this.#server.close();
  }
}

interface Case {
  pop: string;
  what: string;
  certificate: Issued;
  reason: RegExp;
}

describe.skipIf(missing)(`agents whose collector is behind TLS (${missing ?? 'as root, with openssl'})`, () => {
  let rig: MeshRig;
  let right: Issued;
  let cases: Case[];
  let agents: Map<string, Program>;
  const fronts = new Map<string, Front>();

  beforeAll(async () => {
    rig = await MeshRig.create(['foreign', 'expired', 'early', 'named'], 61);
    const own = new Authority(rig.folder, 'own');
    right = own.issue('right', 'IP:127.0.0.1');
    cases = [
      {
        pop: 'foreign',
        what: 'of a foreign authority',
        certificate: new Authority(rig.folder, 'other').issue('a', 'IP:127.0.0.1'),
        reason: /^UNABLE_TO_VERIFY_LEAF_SIGNATURE: .*collector\.ca_file/,
      },
      {
        pop: 'expired',
        what: 'that has expired',
        certificate: own.issue('b', 'IP:127.0.0.1', '20210101'),
        reason: /^CERT_HAS_EXPIRED: .*clock/,
      },
      {
        pop: 'early',
        what: 'that begins later',
        certificate: own.issue('c', 'IP:127.0.0.1', '20490101', '20480101'),
        reason: /^CERT_NOT_YET_VALID: .*clock/,
      },
      {
        pop: 'named',
        what: 'for another name',
        certificate: own.issue('d', 'DNS:collector.example.net'),
        reason: /ALTNAME_INVALID: .*another name/,
      },
    ];
    for (const { pop, certificate } of cases) {
      const front = new Front(certificate, rig.collectorPort);
      fronts.set(pop, front);
      const collector = `url: ${await front.listen()}, ca_file: ${own.certificateFile}`;
      await rig.write(`${pop}.yaml`, rig.agentYaml(pop).replace(`url: '${rig.url}'`, collector));
    }
    await rig.startCollector();
    agents = new Map(await Promise.all(cases.map(async ({ pop }) => [pop, await rig.startAgent(pop)] as const)));
  });
  afterAll(async () => {
    for (const front of fronts.values()) front.close();
    await rig.close();
  });

  const configOf = (pop: string): string[] => ['--config', rig.path(`${pop}.yaml`)];
  const status = async (pop: string): Promise<AgentStatus> =>
    JSON.parse(await rig.run(['status', '--json', ...configOf(pop)])) as AgentStatus;

  it('say in one line of the log, and in the status, what is wrong with its certificate, and keep what they have', async () => {
    for (const { pop, what, reason } of cases) {
      const line = await agents.get(pop)?.logged('cannot deliver, will try again');
      expect({ what, line }).toEqual({
        what,
        line: expect.objectContaining({ level: 40, reason: expect.stringMatching(reason) }),
      });
      await expect.poll(async () => (await status(pop)).push.failuresInARow, { timeout: 20_000 }).toBeGreaterThan(1);
      const { push, spool } = await status(pop);
      expect(push).toMatchObject({
        lastAcceptedSequence: null,
        lastError: expect.stringMatching(reason),
        quarantined: 0,
        collectors: [{ lastError: expect.stringMatching(reason) }],
      });
      expect(spool.documents).toBeGreaterThan(0);
      expect(await rig.run(['status', ...configOf(pop)])).toContain(String(push.lastError));
      const warnings = agents
        .get(pop)
        ?.lines.filter(({ level, msg }) => Number(level) >= 40 && String(msg).includes('deliver'));
      expect(warnings).toHaveLength(1);
    }
  }, 60_000);

  it('send nothing before the certificate is right, and then everything', async () => {
    expect([...fronts.values()].map(({ received }) => received)).toEqual([0, 0, 0, 0]);
    expect((await rig.mesh()).pops.map(({ documents }) => documents)).toEqual([0, 0, 0, 0]);
    for (const front of fronts.values()) front.show(right);
    await Promise.all([...agents.values()].map((agent) => agent.logged('the collector accepts documents again')));
    expect(await Promise.all([...agents.values()].map((agent) => agent.end('SIGTERM')))).toEqual([0, 0, 0, 0]);
    for (const { pop } of cases) {
      await rig.run(['spool', 'push', ...configOf(pop)]);
      expect(await spooledNumbers(rig.path(`spool/${pop}`))).toEqual([]);
      const chain = storedChain(rig.path('collector.db'), pop);
      expect({ pop, broken: breakIn(chain), stored: chain.map(({ sequence }) => sequence) }).toEqual({
        pop,
        broken: null,
        stored: agents.get(pop)?.sealed(),
      });
    }
  }, 60_000);
});
