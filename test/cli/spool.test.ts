/** `popprobe spool`: what it shows of a folder, and what it does to one, with and without an agent that runs. */

import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { spoolAnswers } from '../../src/agent/spool-answers.ts';
import { documentName, type SealedDocument } from '../../src/agent/spool-file.ts';
import type { Spool } from '../../src/agent/spool.ts';
import { serveStatus } from '../../src/agent/status-server.ts';
import { runSpoolDrop, runSpoolRetry } from '../../src/cli/run-spool-change.ts';
import { runSpoolList } from '../../src/cli/run-spool-list.ts';
import { runSpoolPush } from '../../src/cli/run-spool-push.ts';
import { answer, CollectorStub } from '../agent/collector-stub.ts';
import { open, spoolOf, temporaryFolder } from '../agent/spool-fixture.ts';
import { refusalOf } from '../protocol/refusal.ts';
import { popprobe } from './program.ts';
import { Terminal } from './terminal.ts';

const NOW_MS = Date.UTC(2026, 0, 2);

/** A document as an agent begins it. */
function buildDocument(sequence: number, rest: object): SealedDocument {
  const schema = 'event' in rest ? 'popprobe.record/1' : 'popprobe.summary/1';
  const octets = Buffer.from(JSON.stringify({ schema, pop: 'fra', boot_id: 'x', sequence, prev: null, ...rest }));
  return { sequence, octets, signature: `header..signature${sequence}` };
}

const SUMMARY = buildDocument(5, { window: { start: '2026-01-01T00:00:00.000Z', start_unix_s: 0, length_s: 60 } });
const RECORD = buildDocument(6, { at: '2026-01-01T00:00:07.125Z', event: { kind: 'pair', peer: 'par' } });

/** A folder with a summary and a record that wait, and in the quarantine a torn one, a refused one and a stranger. */
async function mixedFolder(): Promise<string> {
  const folder = await temporaryFolder();
  const spool = await open(folder);
  for (const document of [SUMMARY, RECORD]) await spool.append(document);
  for (const sequence of [7, 8]) await spool.append(buildDocument(sequence, {}));
  await spool.quarantine(8, 'HTTP 422 schema: no');
  await writeFile(join(folder, documentName(7)), 'torn');
  expect(await spool.read(7)).toBeNull();
  await writeFile(join(folder, 'quarantine', 'notes.txt'), '');
  const writtenS = NOW_MS / 1000 - 3 * 3600;
  for (const sequence of [5, 6]) await utimes(join(folder, documentName(sequence)), writtenS, writtenS);
  for (const sequence of [7, 8]) await utimes(join(folder, 'quarantine', documentName(sequence)), writtenS, writtenS);
  return folder;
}

const pipe = (): NodeJS.WriteStream => new PassThrough() as unknown as NodeJS.WriteStream;
const textOf = (out: NodeJS.WriteStream): string => String((out as unknown as PassThrough).read() ?? '');

const TABLE = `
        sequence  kind         begin                        octets      age  state
               5  summary      2026-01-01T00:00:00.000Z        222      3 h  waiting
               6  pair         2026-01-01T00:00:07.125Z        213      3 h  waiting
               7  ?            ?                                 4      3 h  quarantine: there is no signature line
               8  summary      ?                               145      3 h  quarantine: HTTP 422 schema: no
2 documents of 435 octets, the oldest for 3 h, waiting
2 documents of 149 octets, the oldest for 3 h, in the quarantine, and 1 files that bear no number
`.slice(1);

describe('popprobe spool list', () => {
  it('shows every document with what it is, how old, and why it is where it is', async () => {
    const directory = await mixedFolder();
    const out = pipe();
    await runSpoolList({ directory }, { out, err: pipe(), nowMs: () => NOW_MS });
    expect(textOf(out)).toBe(TABLE);
  });

  it('shows on a terminal how far it is, and then the table alone', async () => {
    const directory = await mixedFolder();
    const terminal = new Terminal(120);
    let nowMs = NOW_MS - 150 * 12;
    await runSpoolList({ directory }, { out: terminal.out, err: terminal.out, nowMs: () => (nowMs += 150) });
    expect(terminal.rows[0]).toMatch(/^ +sequence/);
    expect(terminal.rows).toHaveLength(7);
    expect(terminal.written).toContain('reading: 2 documents, 50 %');
  });

  it('gives programs the same as JSON, or the quarantine alone', async () => {
    const directory = await mixedFolder();
    const out = pipe();
    await runSpoolList({ directory, quarantined: true, json: true }, { out, err: pipe(), nowMs: () => NOW_MS });
    const written_at = '2026-01-01T21:00:00.000Z';
    expect(JSON.parse(textOf(out))).toEqual({
      directory,
      documents: [
        { sequence: 7, kind: null, at: null, bytes: 4, reason: 'there is no signature line', written_at },
        { sequence: 8, kind: 'summary', at: null, bytes: 145, reason: 'HTTP 422 schema: no', written_at },
      ],
      strangers: 1,
    });
  });

  it('has a terminal show what a file says, and not obey it', async () => {
    const directory = await temporaryFolder();
    await (await open(directory)).append(buildDocument(5, { window: { start: '\u009b2J' } }));
    const out = pipe();
    await runSpoolList({ directory }, { out, err: pipe(), nowMs: () => NOW_MS });
    expect(textOf(out)).toContain(String.raw`\u{9b}2J`);
  });

  it('refuses a folder that is not there', async () => {
    const directory = join(await temporaryFolder(), 'none');
    const refusal = await refusalOf(() => runSpoolList({ directory }, { out: pipe(), err: pipe(), nowMs: Date.now }));
    expect(refusal).toMatchObject({ code: 'spool_unusable', found: 'no such file or directory' });
  });
});

describe('popprobe spool show', () => {
  it('lays out a document, or writes the very octets or the line of the signature', async () => {
    const directory = await mixedFolder();
    const show = (...options: string[]) => popprobe('spool', 'show', '5', '--directory', directory, ...options).stdout;
    expect(JSON.parse(show())).toEqual(JSON.parse(String(SUMMARY.octets)));
    expect(show().split('\n').length).toBeGreaterThan(10);
    expect(show('--octets')).toBe(String(SUMMARY.octets));
    expect(show('--signature')).toBe('header..signature5\n');
  });

  it('finds it in the quarantine, and says what it is not', async () => {
    const directory = await mixedFolder();
    const show = (sequence: string) => popprobe('spool', 'show', sequence, '-d', directory);
    expect(JSON.parse(show('8').stdout)).toMatchObject({ sequence: 8 });
    expect(show('7')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/no signature line.*\[not_a_document\]/),
    });
    expect(show('9')).toMatchObject({ status: 1, stderr: expect.stringMatching(/\[not_found\]/) });
  });

  it('says of one that is whole and no JSON that it is none, and writes its octets', async () => {
    const directory = await temporaryFolder();
    const octets = Buffer.from('{"sequence":3,"prev":null, and so on');
    await (await open(directory)).append({ sequence: 3, octets, signature: 'header..signature' });
    expect(popprobe('spool', 'show', '3', '-d', directory)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^popprobe: expected JSON in .*--octets \[not_a_document\]\n$/),
    });
    expect(popprobe('spool', 'show', '3', '-d', directory, '--octets').stdout).toBe(String(octets));
  });
});

describe('popprobe spool without an agent', () => {
  it('puts back what is whole, and says what is not', async () => {
    const directory = await mixedFolder();
    const { status, stdout } = popprobe('spool', 'retry', '--all', '--directory', directory);
    expect({ status, stdout }).toEqual({
      status: 1,
      stdout: '7: not whole: it stays in the quarantine\nwaiting to be sent: 1 of 2\n',
    });
    const spool = await open(directory);
    expect(spool.waiting).toEqual({ count: 3, oldest: 5, newest: 8 });
    expect(spool.pendingGaps().map(({ ranges }) => ranges)).toEqual([[[7, 7]]]);
  });

  it('deletes only when it is told so twice, and what is deleted will be declared', async () => {
    const directory = await mixedFolder();
    const drop = (...options: string[]) => popprobe('spool', 'drop', '-d', directory, ...options);
    expect(drop('5', '6')).toMatchObject({ status: 1, stdout: expect.stringMatching(/^to be deleted .*: 2;/) });
    expect((await open(directory)).waiting.count).toBe(2);
    expect(drop('5', '9', '--yes')).toMatchObject({ status: 1, stdout: '9: not there\ndeleted: 1 of 2\n' });
    expect(drop('--quarantined', '--yes')).toMatchObject({ status: 0, stdout: 'deleted: 2 of 2\n' });
    expect(drop('--all', '--yes')).toMatchObject({ status: 0, stdout: 'deleted: 1 of 1\n' });
    const gaps = (await open(directory)).pendingGaps();
    expect(gaps.map(({ reason, ranges }) => [reason, ranges])).toEqual([
      ['damaged', [[7, 7]]],
      ['refused', [[8, 8]]],
      ['dropped', [[5, 6]]],
    ]);
  });

  it("leaves a folder alone that is nobody's spool", async () => {
    const directory = await temporaryFolder();
    await writeFile(join(directory, 'notes.txt'), 'mine');
    const missing = join(directory, 'mistyped');
    for (const [folder, found] of [
      [directory, /neither head\.json nor documents.*\[spool_unusable\]/],
      [missing, /no such file or directory.*\[spool_unusable\]/],
    ] as const) {
      for (const change of [
        ['retry', '5'],
        ['drop', '5', '--yes'],
      ]) {
        const refused = { status: 1, stderr: expect.stringMatching(found) };
        expect(popprobe('spool', ...change, '-d', folder)).toMatchObject(refused);
      }
    }
    expect(await readdir(directory)).toEqual(['notes.txt']);
  });

  it('works through more than one step takes', async () => {
    const directory = await temporaryFolder();
    const spool = await spoolOf(
      directory,
      Array.from({ length: 450 }, (_, at) => at + 1),
    );
    const terminal = new Terminal(80);
    expect(spool.waiting.count).toBe(450);
    expect(await runSpoolDrop([], { directory, all: true, yes: true }, { out: terminal.out, err: terminal.out })).toBe(
      true,
    );
    expect(terminal.rows).toEqual(['deleted: 450 of 450']);
    expect((await open(directory)).waiting.count).toBe(0);
  });

  it.each([
    [['list'], /either --config or --directory/],
    [['list', '-d', '.', '-c', 'agent.yaml'], /either --config or --directory/],
    [['list', '-d', ''], /expected a path/],
    [['retry', '5', '-d', '.', '--socket', ''], /expected a path/],
    [['show', 'x', '-d', '.'], /expected the number of a document/],
    [['retry', '-d', '.'], /either documents or --all/],
    [['drop', '5', '--all', '-d', '.'], /either documents or --all or --quarantined/],
  ])('refuses %j as wrong use', (args, message) => {
    expect(popprobe('spool', ...args)).toMatchObject({ status: 2, stderr: expect.stringMatching(message) });
  });
});

describe('popprobe spool beside an agent', () => {
  /** The spool of an agent that runs and answers. */
  async function running(directory: string): Promise<{ spool: Spool; socket: string }> {
    const socket = join(await temporaryFolder(), 'agent.sock');
    const spool = await open(directory);
    const server = await serveStatus(socket, spoolAnswers(spool, directory));
    onTestFinished(() => server.stop());
    return { spool, socket };
  }

  it('has the agent put back and delete, and the agent knows of it', async () => {
    const directory = await mixedFolder();
    const { spool, socket } = await running(directory);
    expect(await runSpoolRetry([8], { directory, socket }, { out: pipe(), err: pipe() })).toBe(true);
    expect(spool.waiting).toEqual({ count: 3, oldest: 5, newest: 8 });
    const out = pipe();
    expect(await runSpoolDrop([], { directory, socket, all: true, yes: true }, { out, err: pipe() })).toBe(true);
    expect(textOf(out)).toBe('deleted: 4 of 4\n');
    expect(spool.status()).toMatchObject({ documents: 0, dropped: 4 });
  });

  it('refuses when the agent that answers has another folder', async () => {
    const { socket } = await running(await temporaryFolder());
    const directory = await mixedFolder();
    const refusal = await refusalOf(() => runSpoolRetry([8], { directory, socket }, { out: pipe(), err: pipe() }));
    expect(refusal.code).toBe('config_conflict');
  });
});

describe('popprobe spool push', () => {
  async function agentFile(url: string): Promise<{ file: string; directory: string }> {
    const folder = await temporaryFolder();
    const directory = join(folder, 'spool');
    const file = join(folder, 'agent.yaml');
    await writeFile(
      file,
      `schema: popprobe.agent/1\npop: hkg1\nmesh: ${resolve('config/quickstart/mesh.yaml')}\nkey_file: k\n` +
        `collector: { url: ${url} }\nspool: { directory: ${directory} }\n`,
    );
    return { file, directory };
  }

  it('delivers all that waits and ends', async () => {
    const collector = new CollectorStub([]);
    await collector.listen();
    const { file, directory } = await agentFile(collector.url);
    await spoolOf(directory, [1, 2, 3]);
    const terminal = new Terminal(100);
    expect(await runSpoolPush(file, { out: terminal.out, err: terminal.out })).toBe(true);
    expect(terminal.rows).toEqual(['delivered: 3 of 3; waiting: 0, refused: 0']);
    expect(collector.requests).toHaveLength(3);
    expect((await open(directory)).waiting.count).toBe(0);
  });

  it('says what was refused', async () => {
    const collector = new CollectorStub([answer(422), answer(200)]);
    await collector.listen();
    const { file, directory } = await agentFile(collector.url);
    await spoolOf(directory, [1, 2]);
    const out = pipe();
    expect(await runSpoolPush(file, { out, err: pipe() })).toBe(false);
    expect(textOf(out)).toBe('delivered: 1 of 2; waiting: 0, refused: 1\n');
  });
});
