/** Keys of the real programs: read from safe places only, shown to nobody, and changed while the agent runs. */

import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmod, chown, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgentStatus } from '../../src/agent/status.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { popprobe } from '../cli/program.ts';
import { rootMissing } from '../linux/privileges.ts';
import { MeshRig } from './mesh-rig.ts';

const POPS = ['hkg1', 'sin1'];

describe.skipIf(rootMissing())(`keys of the real programs (${rootMissing() ?? 'as root'})`, () => {
  let rig: MeshRig;

  beforeEach(async () => {
    rig = await MeshRig.create(POPS, 44);
  });
  afterEach(() => rig.close());

  async function kidOf(name: string): Promise<string> {
    return (JSON.parse((await rig.read(`${name}.pub.json`)).toString()) as { kid: string }).kid;
  }

  async function status(pop: string): Promise<AgentStatus> {
    return JSON.parse(await rig.run(['status', '--json', '--socket', rig.path(`${pop}.sock`)])) as AgentStatus;
  }

  /** Gives the agent other keys, and has it read them: by a signal, or by starting anew. */
  async function writeKeys(pop: string, keyFile: string, nextKeyFile?: string): Promise<void> {
    const next = nextKeyFile === undefined ? '' : `\nnext_key_file: ${nextKeyFile}`;
    await rig.write(
      `${pop}.yaml`,
      rig.agentYaml(pop).replace(`key_file: keys/${pop}.key`, `key_file: ${keyFile}${next}`),
    );
  }

  /** A command that is expected to fail: what it printed. */
  async function failure(command: string[], environment: Record<string, string> = {}): Promise<string> {
    const [program = '', ...args] = command;
    const env = { ...process.env, ...environment };
    const run = promisify(execFile)(program, args, { env, timeout: 20_000 });
    try {
      return `it did not fail: ${(await run).stdout}`;
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      return stdout + stderr;
    }
  }

  const agentCommand = (pop: string): string[] => [
    process.execPath,
    'dist/main.js',
    'agent',
    '-c',
    rig.path(`${pop}.yaml`),
  ];

  it('are refused where others may read them, with the command that puts it right', async () => {
    const file = rig.path('keys/hkg1.key');
    await chmod(file, 0o644);
    expect(await failure(agentCommand('hkg1'))).toContain(
      `found mode 0644 on ${file}; run: chmod 600 ${file} [key_exposed]`,
    );
    await chmod(file, 0o600);
    // Whoever is not root must own it; this user may read everything, as a group of its own would.
    await chown(file, 12_345, 0);
    await chmod(rig.folder, 0o755);
    await chmod(rig.path('keys'), 0o755);
    const asNobody = ['setpriv', '--reuid=65534', '--clear-groups', '--bounding-set=+dac_read_search'];
    const caps = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
    expect(await failure([...asNobody, ...caps, ...agentCommand('hkg1')])).toContain(
      `found user 12345 as the owner of ${file}; run: chown 65534 ${file} [key_exposed]`,
    );
  });

  it('are taken from the credentials of systemd, which its group may read, and from there only', async () => {
    const folder = rig.path('credentials');
    await mkdir(folder);
    await copyFile(rig.path('keys/hkg1.key'), `${folder}/signing-key`);
    await chmod(`${folder}/signing-key`, 0o440);
    await writeKeys('hkg1', 'credentials/signing-key');
    expect(await failure(agentCommand('hkg1'))).toContain(`run: chmod 600 ${folder}/signing-key [key_exposed]`);
    const agent = await rig.startAgent('hkg1', ['env', `CREDENTIALS_DIRECTORY=${folder}`]);
    expect((await status('hkg1')).signing).toEqual({ kid: await kidOf('keys/hkg1'), successor: null });
    expect(await agent.end('SIGTERM')).toBe(0);
  });

  it('show in no log, status, check or error, at whatever level it is logged', async () => {
    const secrets: string[] = [];
    for (const name of ['hkg1', 'sin1']) secrets.push(...bodyOf(await rig.read(`keys/${name}.key`)));
    await rig.run(['keygen', 'hkg1', '--out', rig.path('next')]);
    secrets.push(...bodyOf(await rig.read('next/hkg1.key')));
    await rig.write('mesh.yaml', rig.meshYaml(POPS).replace('flows: 2 }', 'flows: 2, authenticated: true }'));
    for (const session of ['hkg1-to-sin1', 'sin1-to-hkg1']) {
      await rig.run(['keygen', '--stamp', session, '--out', rig.path('stamp')]);
      secrets.push((await rig.read(`stamp/${session}.key`)).toString().trim());
    }
    await writeKeys('hkg1', 'keys/hkg1.key', 'next/hkg1.key');
    for (const pop of POPS) {
      const more = 'stamp_keys: stamp\nlog_level: trace\n';
      await rig.write(`${pop}.yaml`, `${(await rig.read(`${pop}.yaml`)).toString()}${more}`);
    }
    const collector = await rig.startCollector();
    const agents = await Promise.all(POPS.map((pop) => rig.startAgent(pop)));
    await agents[0]?.logged('window sealed');
    agents[0]?.process.kill('SIGHUP');
    await agents[0]?.logged('configuration accepted, staged');
    const said = [
      await rig.run(['status', '--socket', rig.path('hkg1.sock')]),
      JSON.stringify(await status('hkg1')),
      await rig.run(['check', rig.path('hkg1.yaml'), rig.path('collector.yaml')]),
      // What the process that reads the configuration hands to the agent.
      (await promisify(execFile)(process.execPath, ['dist/config/print-agent-config.js', rig.path('hkg1.yaml')]))
        .stdout,
      ...(await badKeys(secrets)),
    ];
    for (const program of [collector, ...agents]) said.push(JSON.stringify(program.lines));
    expect(secrets.length).toBeGreaterThanOrEqual(5);
    expect(secrets.every((secret) => secret.length >= 40)).toBe(true);
    const text = said.join('\n');
    expect(text.length).toBeGreaterThan(20_000);
    // A part of a key is a secret, and so is a key that is spelt another way.
    const parts = secrets.map((secret) => secret.slice(-40, -8));
    expect(parts.filter((part) => text.includes(part))).toEqual([]);
    const octets = secrets.map((secret) => Buffer.from(secret, 'base64').subarray(-24));
    const spelt = octets.flatMap((part) => [part.toString('hex'), part.toString('base64url'), [...part].join(',')]);
    expect(spelt.filter((part) => text.includes(part))).toEqual([]);
  });

  it('are changed by a reload, as docs/keys.md has it, without losing a document', async () => {
    const collector = await rig.startCollector();
    let [agent] = await Promise.all(POPS.map((pop) => rig.startAgent(pop)));
    if (!agent) throw new Error('an agent expected');
    await agent.logged('window sealed');
    await rig.run(['keygen', 'hkg1', '--out', rig.path('next')]);
    const [old, next] = [await kidOf('keys/hkg1'), await kidOf('next/hkg1')];
    expect((await status('hkg1')).signing).toEqual({ kid: old, successor: null });

    // The collector is told first.
    const both = rig
      .collectorYaml(POPS)
      .replace('keys/hkg1.pub.json }', 'keys/hkg1.pub.json }, { file: next/hkg1.pub.json }');
    await rig.write('collector.yaml', both);
    collector.process.kill('SIGHUP');
    await collector.logged('configuration taken');
    await writeKeys('hkg1', 'keys/hkg1.key', 'next/hkg1.key');
    agent.process.kill('SIGHUP');
    expect(await agent.logged('another key signs from here on')).toMatchObject({ kid: next, before: old });
    await agent.logged('configuration taken');
    await agent.logged('window sealed', agent.lines.length);
    expect((await status('hkg1')).signing).toEqual({ kid: next, successor: null });

    // Neither a restart nor the last step goes back to the old one, and who has only that does not start.
    expect(await agent.end('SIGTERM')).toBe(0);
    await writeKeys('hkg1', 'keys/hkg1.key');
    expect(await failure(agentCommand('hkg1'))).toMatch(new RegExp(`expected key ${next}, .*\\[key_unannounced\\]`));
    await writeKeys('hkg1', 'keys/hkg1.key', 'next/hkg1.key');
    agent = await rig.startAgent('hkg1');
    expect((await status('hkg1')).signing).toEqual({ kid: next, successor: null });
    await writeKeys('hkg1', 'next/hkg1.key');
    const from = agent.lines.length;
    agent.process.kill('SIGHUP');
    await agent.logged('configuration taken', from);
    await agent.logged('window sealed', agent.lines.length);
    await writeKeys('hkg1', 'keys/hkg1.key');
    agent.process.kill('SIGHUP');
    const refused = await agent.logged('configuration refused, the running one stays');
    expect(refused['reason']).toContain(`expected key ${next}`);
    expect(agent.lines.filter(({ msg }) => msg === 'another key signs from here on')).toEqual([]);
    expect(await agent.end('SIGTERM')).toBe(0);

    const publicKeys = ['--key', rig.path('keys/hkg1.pub.json'), rig.path('next/hkg1.pub.json')];
    const verdict = JSON.parse(
      await rig.run(['verify', '--from', rig.url, '--pop', 'hkg1', '--json', ...publicKeys]),
    ) as {
      verdict: string;
      notes: { code: string; first_sequence: number | null }[];
    };
    expect(verdict.verdict).toBe('valid');
    const changed = verdict.notes.filter(({ code }) => code === 'key_changed');
    expect(changed).toHaveLength(1);

    // Without the record that announces it, the same documents are no evidence any more.
    const announcement = String((changed[0]?.first_sequence ?? 0) - 1);
    const bundle = rig.path('bundle');
    await rig.run(['evidence', 'export', '--from', rig.url, '--pop', 'hkg1', '--out', bundle, ...publicKeys]);
    const folder = rig.path('without');
    await mkdir(folder);
    let left = 0;
    for (const path of (await readdir(bundle, { recursive: true })).filter((name) => /^documents.*\.jws$/.test(name))) {
      if (path.includes(announcement)) continue;
      const [line, octets] = [
        await rig.read(`bundle/${path}`),
        await rig.read(`bundle/${path.replace('.jws', '.json')}`),
      ];
      await writeFile(
        join(folder, basename(path)),
        `${line.toString().trim()} ${digestOf(octets)}\n${octets.toString()}`,
      );
      left += 1;
    }
    expect(left).toBeGreaterThan(3);
    const unannounced = popprobe('verify', folder, '--pop', 'hkg1', ...publicKeys);
    expect(unannounced.status).toBe(1);
    expect(unannounced.stdout.match(/\[\w+\]$/gm)?.toSorted()).toEqual(['[documents_missing]', '[key_unannounced]']);

    // Revoked afterwards, the old key is vouched for by the new one.
    const revoked = ['--revoked', rig.path('keys/hkg1.pub.json'), '--key', rig.path('next/hkg1.pub.json')];
    expect(popprobe('verify', '--from', rig.url, '--pop', 'hkg1', ...revoked).status).toBe(0);
    expect(collector.lines.filter(({ msg }) => msg === 'document refused')).toEqual([]);
  }, 90_000);

  /** What is said of key files that hold nearly a key; their secrets join the others. */
  async function badKeys(secrets: string[]): Promise<string[]> {
    const pem = (await rig.read('keys/sin1.key')).toString();
    const [body = ''] = bodyOf(Buffer.from(pem));
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs8' });
    const stamp = randomBytes(31).toString('hex');
    secrets.push(...bodyOf(Buffer.from(rsa)), stamp);
    const contents = [pem.replace(body, body.slice(1)), pem.replace('PRIVATE KEY', 'PRIVATE KEX'), body, rsa];
    const said: string[] = [];
    for (const content of contents) {
      await writeFile(rig.path('bad.key'), content, { mode: 0o600 });
      await rig.write('bad.yaml', rig.agentYaml('sin1').replace('keys/sin1.key', 'bad.key'));
      said.push(popprobe('check', rig.path('bad.yaml')).stdout, await failure(agentCommand('bad')));
      // Handed to the collector by mistake.
      const config = rig.collectorYaml(['sin1']).replace('keys/sin1.pub.json', 'bad.key');
      await rig.write('bad-collector.yaml', config);
      said.push(popprobe('check', rig.path('bad-collector.yaml')).stdout);
      said.push(popprobe('verify', rig.path('spool'), '--key', rig.path('bad.key')).stderr);
    }
    await writeFile(rig.path('stamp/hkg1-to-sin1.key'), `${stamp}\n`, { mode: 0o600 });
    said.push(popprobe('check', rig.path('hkg1.yaml')).stdout);
    // Pasted into a configuration.
    await rig.write('pasted.yaml', rig.agentYaml('sin1').replace('keys/sin1.key', `|\n${pem.replaceAll(/^/gm, '  ')}`));
    said.push(popprobe('check', rig.path('pasted.yaml')).stdout, await failure(agentCommand('pasted')));
    expect(said.every((text) => /\[(key|config)_\w+\]/.test(text))).toBe(true);
    return said;
  }
});

/** The lines of a PEM between its first and last one that are long enough to be told from other text. */
function bodyOf(pem: Buffer): string[] {
  return pem
    .toString()
    .split('\n')
    .filter((line) => line.length >= 40 && !line.startsWith('-----'));
}
