/** `popprobe check` and `popprobe keygen` as the built program. */

import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { popprobe } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'popprobe-check-'));
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  for (const pop of ['hkg1', 'sin1', 'lax1']) {
    popprobe('keygen', pop, '--out', at('keys'));
    place(`${pop}.yaml`);
  }
  place('mesh.yaml');
  place('collector.yaml');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Copies a quickstart file into the test's folder, with the keys beside it and `change` applied. */
function place(name: string, as = name, change: (text: string) => string = (text) => text): string {
  const text = readFileSync(join('config/quickstart', name), 'utf8').replaceAll('../../var/quickstart/', '');
  writeFileSync(at(as), change(text));
  return at(as);
}

/** What else is said of the quickstart's mesh. */
const coverageIn = (file = ''): string =>
  `${file}: class stamp: 4 flows reach any one of 2, 4, 8 parallel links with 93, 68, 41 %\n`;

describe('popprobe check', () => {
  it('says ok and what each file sets up, and exits with 0', () => {
    const files = [at('mesh.yaml'), at('hkg1.yaml'), at('collector.yaml')];
    expect(popprobe('check', ...files)).toEqual({
      status: 0,
      stdout: [
        `${files[0]}: ok (mesh quickstart: 3 PoPs; each agent: 2 peers, 10 paths, 90 probes/s)\n`,
        coverageIn(files[0]),
        `${files[1]}: ok (agent hkg1 of mesh quickstart: 2 peers, 10 paths, 90 probes/s)\n`,
        `${files[2]}: ok (collector on 127.0.0.1 port 8790: 3 PoPs, 3 keys)\n`,
      ].join(''),
      stderr: '',
    });
  });

  it('reports every mistake of every file, a shared mesh once, and exits with 1', () => {
    const mesh = place('mesh.yaml', 'bad-mesh.yaml', (text) => text.replace('window_s: 10', 'window_s: 11'));
    const change = (text: string): string => `${text.replace('mesh.yaml', 'bad-mesh.yaml')}colour: green\n`;
    const agents = [place('hkg1.yaml', 'bad-hkg1.yaml', change), place('sin1.yaml', 'bad-sin1.yaml', change)];
    const known =
      'schema, pop, mesh, key_file, next_key_file, stamp_keys, reflector, collector, spool, status_socket, tick_ms, transport, log_level';
    const unknown = `colour: expected one of the keys ${known}; found "colour"; remove it [config_unknown_key]`;
    const window = 'a number of seconds, one of 5, 10, 15, 20, 30, 60, 120, 300';
    expect(popprobe('check', ...agents, at('mesh.yaml'))).toEqual({
      status: 1,
      stdout: [
        `${agents[0]}:11:1: ${unknown}\n`,
        `${mesh}:4:11: window_s: expected ${window}; found 11; correct the value [config_invalid_value]\n`,
        `${agents[1]}:11:1: ${unknown}\n`,
        `${at('mesh.yaml')}: ok (mesh quickstart: 3 PoPs; each agent: 2 peers, 10 paths, 90 probes/s)\n`,
        coverageIn(at('mesh.yaml')),
      ].join(''),
      stderr: '',
    });
  });

  it('reports a private key that others may read, with the command that mends it', () => {
    copyFileSync(at('keys/hkg1.key'), at('keys/open.key'));
    chmodSync(at('keys/open.key'), 0o644);
    const file = place('hkg1.yaml', 'open.yaml', (text) => text.replace('hkg1.key', 'open.key'));
    const { status, stdout } = popprobe('check', file);
    expect(stdout).toBe(
      `${file}:5:11: key_file: expected a private key that only its owner may read; found mode 0644 on ${at('keys/open.key')}; run: chmod 600 ${at('keys/open.key')} [key_exposed]\n`,
    );
    expect(status).toBe(1);
  });

  it('reports every STAMP key that an agent lacks, at both ends of its sessions, and those that are unsafe or no keys', () => {
    const mesh = place('mesh.yaml', 'signed-mesh.yaml', (text) => `${text}    authenticated: true\n`);
    const file = place(
      'hkg1.yaml',
      'signed.yaml',
      (text) => `${text.replace('mesh.yaml', 'signed-mesh.yaml')}stamp_keys: stamp\n`,
    );
    for (const session of ['hkg1-to-sin1', 'sin1-to-hkg1', 'hkg1-to-lax1']) {
      expect(popprobe('keygen', '--stamp', session, '--out', at('stamp')).status).toBe(0);
    }
    chmodSync(at('stamp/sin1-to-hkg1.key'), 0o640);
    writeFileSync(at('stamp/hkg1-to-lax1.key'), 'c0ffee');
    const { status, stdout } = popprobe('check', file, mesh);
    const make = `popprobe keygen --stamp`;
    const keys = 'one or 2 different keys, each a line of 64 hexadecimal digits';
    const [unsafe, wrong, missing] = ['sin1-to-hkg1', 'hkg1-to-lax1', 'lax1-to-hkg1'].map((s) => at(`stamp/${s}.key`));
    expect(stdout.replaceAll(`${file}:11:13: stamp_keys: expected `, '')).toBe(
      [
        `a STAMP key that only its owner may read; found mode 0640 on ${unsafe}; run: chmod 600 ${unsafe} [key_exposed]\n`,
        `${keys}; found something else in ${wrong}; move the file away and run: ${make} hkg1-to-lax1 --out ${at('stamp')} [key_invalid]\n`,
        `a readable key file; found no such file or directory: ${missing}; correct the path or the permissions; ${make} lax1-to-hkg1 --out ${at('stamp')} makes a new one [key_unreadable]\n`,
        `${mesh}: ok (mesh quickstart: 3 PoPs; each agent: 2 peers, 10 paths, 90 probes/s)\n`,
        coverageIn(mesh),
      ].join(''),
    );
    expect(status).toBe(1);
  });

  it('says what one agent has to do where PoPs differ in their families', () => {
    const file = place('mesh.yaml', 'mixed.yaml', (text) => text.replace('127.0.1.3', '127.0.1.3\n    ipv6: "::1"'));
    const agent = place('lax1.yaml', 'mixed-lax1.yaml', (text) => text.replace('mesh.yaml', 'mixed.yaml'));
    expect(popprobe('check', file, agent).stdout).toBe(
      [
        `${file}: ok (mesh quickstart: 3 PoPs; the busiest agent: 2 peers, 10 paths, 90 probes/s)\n`,
        coverageIn(file),
        `${agent}: ok (agent lax1 of mesh quickstart: 2 peers, 10 paths, 90 probes/s)\n`,
      ].join(''),
    );
  });

  it('reports public keys that are missing, private, or shared by two PoPs, beside the other mistakes', () => {
    copyFileSync(at('keys/hkg1.pub.json'), at('keys/copy.pub.json'));
    const file = place('collector.yaml', 'bad-collector.yaml', (text) =>
      text
        .replace('hkg1.pub.json }]', 'hkg1.pub.json }, { file: keys/none.pub.json }]')
        .replace('sin1.pub.json', 'copy.pub.json')
        .replace('lax1.pub.json', 'lax1.key')
        .replace('port: 8790', 'port: 0'),
    );
    const { status, stdout } = popprobe('check', file);
    const summary = stdout.split('\n').map((line) => line.replace(/: expected .*(?= \[)/, '').replace(file, ''));
    expect(summary).toEqual([
      ':5:9: listen.port [config_invalid_value]',
      ':10:50: pops[0].keys[1].file [key_unreadable]',
      ':12:20: pops[1].keys[0].file [config_conflict]',
      ':14:20: pops[2].keys[0].file [key_invalid]',
      '',
    ]);
    expect(status).toBe(1);
  });

  it.each([
    ['', ':1:1: schema', 'no such key'],
    ['name: x\n', ':1:1: schema', 'no such key'],
    ['schema: mesh\n', ':1:9: schema', '"mesh"'],
    ['schema: 7\n', ':1:9: schema', '7'],
  ])('lists the four kinds of files when %j does not say which it is', (text, where, found) => {
    writeFileSync(at('kind.yaml'), text);
    const { status, stdout } = popprobe('check', at('kind.yaml'));
    expect(stdout.split('\n')).toHaveLength(2);
    expect(stdout).toContain(
      `${where}: expected popprobe.mesh/1, popprobe.agent/1, popprobe.collector/1 or popprobe.lab/1; found ${found}`,
    );
    expect(status).toBe(1);
  });

  it('checks a file that nearly says what it is as what it means', () => {
    const file = place('mesh.yaml', 'mash.yaml', (text) => text.replace('.mesh/1', '.mash/1').replace(': 10', ': 11'));
    const { status, stdout } = popprobe('check', file);
    expect(stdout.split('\n').map((line) => line.replace(file, ''))).toEqual([
      ':2:9: schema: expected "popprobe.mesh/1"; found "popprobe.mash/1"; did you mean "popprobe.mesh/1"? [config_invalid_value]',
      expect.stringMatching(/^:4:11: window_s: /),
      '',
    ]);
    expect(status).toBe(1);
  });

  it('asks for the line that says what a file is, beside what is wrong with its structure', () => {
    writeFileSync(at('kind.yaml'), 'name: x\nname: y\n');
    const codes = popprobe('check', at('kind.yaml')).stdout.match(/(?<= \[)config_\w+/g);
    expect(codes).toEqual(['config_syntax', 'config_missing_key']);
  });

  it('shows the first 200 of very many problems and counts the others', () => {
    writeFileSync(
      at('many.yaml'),
      `schema: popprobe.mesh/1\n${Array.from({ length: 300 }, (_, i) => `k${i}:\n`).join('')}`,
    );
    const lines = popprobe('check', at('many.yaml')).stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(201);
    expect(lines.at(-1)).toBe('and 103 more problems');
  });
});

describe('popprobe keygen', () => {
  it('says what to do with each file, and the key id', () => {
    const { status, stdout } = popprobe('keygen', 'fra1', '--out', at('keys'));
    const { kid } = JSON.parse(readFileSync(at('keys/fra1.pub.json'), 'utf8')) as { kid: string };
    expect(stdout).toContain(`${at('keys/fra1.key')}\n  the private key.`);
    expect(stdout).toContain(`${at('keys/fra1.pub.json')}\n  the public key.`);
    expect(stdout).toContain(`key id ${kid}\n`);
    expect(status).toBe(0);
  });

  it('makes the key of a STAMP session and says where it belongs', () => {
    const { status, stdout, stderr } = popprobe('keygen', '--stamp', 'fra1-to-hkg1', '--out', at('sessions'));
    expect(stdout).toContain(`${at('sessions/fra1-to-hkg1.key')}\n  the key of the STAMP session fra1-to-hkg1.`);
    const key = readFileSync(at('sessions/fra1-to-hkg1.key'), 'utf8');
    expect(key).toMatch(/^[\da-f]{64}\n$/);
    expect(stdout + stderr).not.toContain(key.trim());
    expect(status).toBe(0);
  });

  it('fails with one line and exit status 1 rather than replace a key', () => {
    const { status, stdout, stderr } = popprobe('keygen', 'hkg1', '--out', at('keys'));
    const remedy = 'choose another name or folder; move the old key away only if no agent uses it';
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: '',
      stderr: `popprobe: expected no file of that name; found ${at('keys/hkg1.key')}; ${remedy} [key_exists]\n`,
    });
  });
});

describe('popprobe', () => {
  it.each([[[]], [['check']], [['nonsense']], [['check', '--nonsense', 'x']], [['keygen']]])(
    'exits with 2 and explains on stderr when it is used wrongly: %j',
    (args) => {
      const { status, stdout, stderr } = popprobe(...args);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toMatch(/^(error: |Usage: )/);
    },
  );

  it('prints its version from package.json', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(popprobe('--version')).toEqual({ status: 0, stdout: `popprobe/${version}\n`, stderr: '' });
  });

  it.each(['check', 'keygen'])('explains %s with an example', (command) => {
    const { status, stdout } = popprobe(command, '--help');
    expect(stdout).toContain(`Example:\n  popprobe ${command} `);
    expect(status).toBe(0);
  });
});
