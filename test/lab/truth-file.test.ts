/** The truth file is read as it was written, and refused when a single line is not what the lab writes. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TruthError, TruthHead, TruthRow } from '../../src/lab/truth.ts';
import { readTruth, TruthWriter } from '../../src/lab/truth-file.ts';
import { refusalOf } from '../protocol/refusal.ts';

/** One second as somebody who has only read the documentation of the format would write it. */
const HEAD = '{"schema":"popprobe.truth/1","scenario":"calm","seed":7,"hosts":["ams","fra","collector"]}';
const PACKETS =
  '"packets":{"offered":31,"dropped":{"loss":1,"isolated":0,"queue":0,"mtu":0,"ttl":0,"overload":0},"duplicated":0,' +
  '"reordered":0,"corrupted":0,"delay_n":30,"delay_sum_us":180000,"delay_min_us":5900,"delay_max_us":6200.5}';
const PROBES =
  '"probes":{"sent":30,"lost":1,"lost_forward":1,"lost_reverse":0,"unanswered":0,"stamp_n":19,"stamp_sum_us":228000,' +
  '"stamp_lag_sum_us":2280,"icmp_n":10,"icmp_sum_us":120900,"icmp_lag_sum_us":700}';
const ROW = `{"second":1767225600,"from":"ams","to":"fra",${PACKETS},${PROBES}}`;
const OTHER_ROW = ROW.replace('"ams","to":"fra"', '"fra","to":"ams"');
const ERROR = '{"second":1767225600,"error_us":[10,20],"packets":[60,1,0]}';
const NEXT_ERROR = ERROR.replace('5600', '5601');

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popprobe-truth-'));
  file = join(folder, 'truth.jsonl');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** How the reader refuses a file of these lines, without the file's name. */
async function refusalFor(lines: readonly string[], end = '\n'): Promise<string> {
  await writeFile(file, lines.join('\n') + end);
  const { code, expected, found } = await refusalOf(() => readTruth(file));
  expect([code, found]).toEqual(['truth_unreadable', expect.stringContaining(` (${file})`)]);
  return `expected ${expected}; found ${found.replace(` (${file})`, '')}`;
}

describe('writing', () => {
  it('gives a line for the head, and for each row and error as they come', async () => {
    const writer = new TruthWriter(file, JSON.parse(HEAD) as TruthHead);
    const rows = [ROW, OTHER_ROW].map((row) => JSON.parse(row) as TruthRow);
    writer.append(rows, JSON.parse(ERROR) as TruthError);
    // Nothing waits in memory: what was appended is there when the process dies now.
    expect(await readFile(file, 'utf8')).toBe(`${[HEAD, ROW, OTHER_ROW, ERROR].join('\n')}\n`);
    writer.append([], JSON.parse(NEXT_ERROR) as TruthError);
    writer.close();
    expect(await readFile(file, 'utf8')).toBe(`${[HEAD, ROW, OTHER_ROW, ERROR, NEXT_ERROR].join('\n')}\n`);
  });

  it('begins the file anew', async () => {
    await writeFile(file, 'the truth of a run before '.repeat(100));
    new TruthWriter(file, JSON.parse(HEAD) as TruthHead).close();
    expect(await readFile(file, 'utf8')).toBe(`${HEAD}\n`);
  });

  it('says which file cannot be written', async () => {
    const missing = join(folder, 'no', 'truth.jsonl');
    const refusal = await refusalOf(() => new TruthWriter(missing, JSON.parse(HEAD) as TruthHead));
    expect(refusal).toMatchObject({
      code: 'syscall_failed',
      expected: `to write the truth file ${missing}`,
      found: 'no such file or directory',
    });
  });
});

describe('reading', () => {
  it('gives rows and errors in their order', async () => {
    await writeFile(file, `${[HEAD, ROW, OTHER_ROW, ERROR, NEXT_ERROR].join('\n')}\n`);
    const truth = await readTruth(file);
    expect(truth.head).toEqual({
      schema: 'popprobe.truth/1',
      scenario: 'calm',
      seed: 7,
      hosts: ['ams', 'fra', 'collector'],
    });
    expect(truth.rows).toEqual([ROW, OTHER_ROW].map((row): unknown => JSON.parse(row)));
    expect(truth.errors.map(({ second, packets }) => [second, packets])).toEqual([
      [1_767_225_600, [60, 1, 0]],
      [1_767_225_601, [60, 1, 0]],
    ]);
  });

  it('takes lines across the pieces in which a long file comes', async () => {
    const seconds = Array.from({ length: 1000 }, (_, index) =>
      [ROW, OTHER_ROW, ERROR].map((line) => line.replace('1767225600', String(1_767_225_600 + index))),
    );
    await writeFile(file, `${[HEAD, ...seconds.flat()].join('\n')}\n`);
    const { rows, errors } = await readTruth(file);
    expect([rows.length, errors.length, rows.at(-1)?.second]).toEqual([2000, 1000, 1_767_226_599]);
  });

  it('refuses a file that is not there, a folder, and an empty file', async () => {
    const missing = await refusalOf(() => readTruth(file));
    expect([missing.code, missing.found]).toEqual(['truth_unreadable', `no such file or directory (${file})`]);
    expect((await refusalOf(() => readTruth(folder))).code).toBe('truth_unreadable');
    expect(await refusalFor([], '')).toBe('expected a truth file; found an empty file');
  });

  it('refuses a file that was torn anywhere, but between two seconds', async () => {
    const whole = `${[HEAD, ROW, OTHER_ROW, ERROR, ROW.replace('5600', '5601'), NEXT_ERROR].join('\n')}\n`;
    // A whole second without the end of its last line, or with it, or the next second's likewise.
    const first = [HEAD, ROW, OTHER_ROW, ERROR].join('\n').length;
    const accepted: number[] = [];
    for (let length = first - ERROR.length; length <= whole.length; length += 1) {
      await writeFile(file, whole.slice(0, length));
      const isRead = await readTruth(file).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ code: 'truth_unreadable' });
          return false;
        },
      );
      if (isRead) accepted.push(length);
    }
    expect(accepted).toEqual([first, first + 1, whole.length - 1, whole.length]);
  });

  it.each([
    ['no head', [ROW, ERROR], 'schema: Invalid input'],
    ['the head of another format', [HEAD.replace('truth/1', 'truth/2')], 'schema: Invalid input'],
    ['a blank line', [HEAD, '', ERROR], 'line 2'],
    ['a member that is not known', [HEAD, ROW.replace('"sent"', '"send"'), ERROR], 'probes'],
    ['a count that is negative', [HEAD, ROW.replace('"lost":1', '"lost":-1'), ERROR], 'probes.lost'],
    ['a count that is not whole', [HEAD, ROW.replace('"sent":30', '"sent":30.5'), ERROR], 'probes.sent'],
    [
      'a delay without packets',
      [HEAD, ROW.replace('"delay_min_us":5900', '"delay_min_us":null'), ERROR],
      'packets.delay_min_us',
    ],
    ['a drop of an unknown cause', [HEAD, ROW.replace('"ttl"', '"luck"'), ERROR], 'packets.dropped'],
    [
      'a host that the head does not name',
      [HEAD, ROW.replace('"to":"fra"', '"to":"par"'), ERROR],
      'ams and par, line 2',
    ],
    ['a host with itself', [HEAD, ROW.replace('"to":"fra"', '"to":"ams"'), ERROR], 'ams and ams, line 2'],
    ['a pair twice in a second', [HEAD, ROW, ROW, ERROR], 'another one of ams and fra, line 3'],
    [
      'rows of two seconds at once',
      [HEAD, ROW, OTHER_ROW.replace('5600', '5601'), NEXT_ERROR],
      'a row of second 1767225601, line 3',
    ],
    ['the error line of another second', [HEAD, ROW, NEXT_ERROR], 'that of second 1767225601, line 3'],
    ['a second twice', [HEAD, ROW, ERROR, ROW, ERROR], 'the error line of second 1767225600, line 5'],
    ['more counts than bounds and one', [HEAD, ERROR.replace('[10,20]', '[10]')], 'the line: one count per bound'],
    ['bounds that do not go up', [HEAD, ERROR.replace('[10,20]', '[20,20]')], 'the line: bounds go up'],
  ])('refuses %s', async (_, lines, found) => {
    expect(await refusalFor(lines)).toContain(found);
  });
});
