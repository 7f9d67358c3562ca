/** What a spool makes of its folder after a crash, a dying disk or a stranger's files. */

import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DOCUMENT_FILE_BYTES_MAX,
  documentName,
  encodeDocument,
  type SealedDocument,
} from '../../src/agent/spool-file.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { buildDocument, drain, open, quarantined, recordingLog, spoolOf, temporaryFolder } from './spool-fixture.ts';

const headOf = (document: SealedDocument) => ({ sequence: document.sequence, digest: digestOf(document.octets) });

describe('the head of the chain after a restart', () => {
  it('is the last document, when everything was delivered', async () => {
    const folder = await temporaryFolder();
    await drain(await spoolOf(folder, [1, 2]));
    expect(await readdir(folder)).toEqual(expect.not.arrayContaining([documentName(1), documentName(2)]));
    expect((await open(folder)).head).toEqual(headOf(buildDocument(2)));
  });

  it('is the one before, when the agent died before the new document got its name', async () => {
    const folder = await temporaryFolder();
    await spoolOf(folder, [1]);
    await writeFile(join(folder, `.${documentName(2)}.tmp`), 'header..signature2\n{"sequence":2');
    const spool = await open(folder);
    expect(spool.head).toEqual(headOf(buildDocument(1)));
    expect(await readdir(folder)).not.toContain(`.${documentName(2)}.tmp`);
    await spool.append(buildDocument(2, 'another'));
    expect(await drain(spool)).toEqual([1, 2]);
    expect(spool.status().quarantined).toBe(0);
  });

  it('is the new document, when the agent died between its name and head.json', async () => {
    const folder = await temporaryFolder();
    const spool = await spoolOf(folder, [1]);
    const before = await readFile(join(folder, 'head.json'));
    await spool.append(buildDocument(2));
    await writeFile(join(folder, 'head.json'), before);
    await writeFile(join(folder, '.head.json.tmp'), '{"seq');
    const recovered = await open(folder);
    expect(recovered.head).toEqual(headOf(buildDocument(2)));
    expect(await drain(recovered)).toEqual([1, 2]);
    // The delivery of the newest document must not leave the stale head.json as the only memory.
    expect((await open(folder)).head).toEqual(headOf(buildDocument(2)));
  });

  it('is the new document, when the agent died after head.json', async () => {
    const folder = await temporaryFolder();
    await spoolOf(folder, [1, 2]);
    expect((await open(folder)).head).toEqual(headOf(buildDocument(2)));
  });

  it('is the newest whole document, when head.json is torn or lost', async () => {
    const folder = await temporaryFolder();
    await spoolOf(folder, [1, 2]);
    await writeFile(join(folder, 'head.json'), Buffer.alloc(60));
    expect((await open(folder)).head).toEqual(headOf(buildDocument(2)));
    expect(await quarantined(folder)).toEqual({ 'head.json': 'not the head of a chain\n' });
    await rm(join(folder, 'head.json'), { force: true });
    expect((await open(folder)).head).toEqual(headOf(buildDocument(2)));
  });

  it('stands although the document itself went bad, so that its number is not used again', async () => {
    const folder = await temporaryFolder();
    await spoolOf(folder, [1, 2]);
    await truncate(join(folder, documentName(2)), 25);
    expect((await open(folder)).head).toEqual(headOf(buildDocument(2)));
  });

  it('is written before the newest document leaves, when it could not be written at the append', async () => {
    const folder = await temporaryFolder();
    const { log, lines } = recordingLog();
    const spool = await open(folder, 1000, log);
    // A folder of that name makes every write of head.json fail, and nothing else.
    await mkdir(join(folder, 'head.json'));
    await spool.append(buildDocument(1));
    expect(lines.map((line) => line.msg)).toEqual(['the spool is degraded: its disk refuses']);
    await spool.delivered(1);
    expect(spool.status()).toMatchObject({ documents: 0, undeleted: 1, degraded: { reason: expect.any(String) } });
    expect(await readdir(folder)).toContain(documentName(1));
    await rm(join(folder, 'head.json'), { recursive: true });
    await spool.append(buildDocument(2));
    await spool.delivered(2);
    expect(spool.status()).toMatchObject({ undeleted: 0, degraded: null });
    expect(await readdir(folder)).toEqual(expect.not.arrayContaining([documentName(1), documentName(2)]));
    expect((await open(folder)).head).toEqual(headOf(buildDocument(2)));
  });
});

describe('a file that is not a whole document', () => {
  const whole = Buffer.concat(encodeDocument(buildDocument(2, 'as it was written')));
  const firstLine = whole.subarray(0, whole.indexOf('\n') + 1);
  const damaged = 'what follows the first line is not what was written';
  const flipped = Buffer.from(whole);
  flipped[whole.length - 5] = (flipped[whole.length - 5] ?? 0) ^ 1;
  const cases: Record<string, [Buffer, string]> = {
    'a file of zeros': [Buffer.alloc(whole.length), 'there is no signature line'],
    'a file cut within its signature': [whole.subarray(0, 10), 'there is no signature line'],
    'a file cut after its first line': [firstLine, damaged],
    'a file cut by one octet': [whole.subarray(0, -1), damaged],
    'a file with zeros at its end': [Buffer.concat([whole.subarray(0, -16), Buffer.alloc(16)]), damaged],
    'a file with one bit flipped': [flipped, damaged],
    'the document of another number': [
      Buffer.concat(encodeDocument(buildDocument(3))),
      'the sequence number is not the one of the file name',
    ],
    'a signature without a digest': [
      Buffer.from('a..b\n{"sequence":2,"prev":null}'),
      'the first line is not a detached JWS and a digest',
    ],
    'an endless first line': [Buffer.alloc(5000, 'a'), 'there is no signature line'],
  };

  it.each(Object.entries(cases))('%s is set aside, and its neighbours are delivered', async (_, [content, reason]) => {
    const folder = await temporaryFolder();
    await spoolOf(folder, [1, 2, 3]);
    await writeFile(join(folder, documentName(2)), content);
    const { log, lines } = recordingLog();
    const spool = await open(folder, 1000, log);
    expect(await drain(spool)).toEqual([1, 3]);
    expect(await quarantined(folder)).toEqual({ [documentName(2)]: `${reason}\n` });
    expect(lines.map(({ sequence, reason: said }) => [sequence, said])).toEqual([[2, reason]]);
    expect(spool.status()).toMatchObject({ documents: 0, quarantined: 1 });
    expect(spool.pendingGaps()).toEqual([{ kind: 'gap', reason: 'damaged', ranges: [[2, 2]] }]);
    expect((await open(folder)).pendingGaps()).toEqual(spool.pendingGaps());
  });

  it.each(Object.entries(cases))(
    '%s keeps its number for as long as it says what it was',
    async (_, [content, reason]) => {
      const folder = await temporaryFolder();
      await spoolOf(folder, [1, 2]);
      await rm(join(folder, 'head.json'));
      await writeFile(join(folder, documentName(2)), content);
      const spool = await open(folder);
      expect(await quarantined(folder)).toEqual({ [documentName(2)]: `${reason}\n` });
      const isNamed = reason === damaged;
      expect(spool.head).toEqual(headOf(isNamed ? buildDocument(2, 'as it was written') : buildDocument(1)));
      // A number that the chain gives to the next document is not missing.
      expect(spool.pendingGaps().map(({ ranges }) => ranges)).toEqual(isNamed ? [[[2, 2]]] : []);
    },
  );

  it('is set aside at the start when its size alone tells, and its neighbours are delivered', async () => {
    const folder = await temporaryFolder();
    await spoolOf(folder, [1, 2, 3, 4]);
    await writeFile(join(folder, documentName(2)), '');
    await truncate(join(folder, documentName(3)), DOCUMENT_FILE_BYTES_MAX + 1);
    const { log, lines } = recordingLog();
    const spool = await open(folder, 1000, log);
    const [empty, larger] = ['the file is empty', `larger than ${DOCUMENT_FILE_BYTES_MAX} octets`];
    expect(await quarantined(folder)).toEqual({ [documentName(2)]: `${empty}\n`, [documentName(3)]: `${larger}\n` });
    expect(lines.map(({ file, reason }) => [file, reason])).toEqual([
      [documentName(2), empty],
      [documentName(3), larger],
    ]);
    expect(spool.status()).toMatchObject({ documents: 2, quarantined: 2 });
    expect(spool.pendingGaps()).toEqual([{ kind: 'gap', reason: 'damaged', ranges: [[2, 3]] }]);
    expect(await drain(spool)).toEqual([1, 4]);
  });

  it('is set aside when it is a stranger: another name, a symbolic link, a FIFO, a number beyond the integers', async () => {
    const folder = await temporaryFolder();
    await spoolOf(folder, [1]);
    await writeFile(join(folder, 'notes.txt'), 'hello');
    await writeFile(join(folder, documentName(0)), 'header..signature\n{"sequence":0}');
    await writeFile(join(folder, '9999999999999999.jws'), 'header..signature\n{"sequence":9999999999999999}');
    await symlink(documentName(1), join(folder, documentName(2)));
    execFileSync('mkfifo', [join(folder, documentName(3))]);
    const spool = await open(folder);
    expect(spool.status()).toMatchObject({ documents: 1, quarantined: 5 });
    expect((await readdir(folder)).toSorted()).toEqual([documentName(1), 'head.json', 'quarantine', 'reserve']);
    expect(await drain(spool)).toEqual([1]);
  });

  it('is found among thousands, which are delivered in the order of the chain, whatever that of the folder', async () => {
    const folder = await temporaryFolder();
    const all = Array.from({ length: 3000 }, (_, index) => index + 1);
    await spoolOf(folder, [1]);
    for (const sequence of all) {
      await writeFile(join(folder, documentName(sequence)), Buffer.concat(encodeDocument(buildDocument(sequence))));
    }
    await writeFile(join(folder, documentName(2000)), '');
    const spool = await open(folder);
    expect(spool.head).toEqual(headOf(buildDocument(3000)));
    expect(await drain(spool)).toEqual(all.filter((sequence) => sequence !== 2000));
  });

  it('is left alone when it is a folder that is not in the way, such as lost+found', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'lost+found'));
    await mkdir(join(folder, documentName(4)));
    const spool = await open(folder);
    expect(await quarantined(folder)).toEqual({ [documentName(4)]: 'not a regular file\n' });
    expect(await readdir(folder)).toContain('lost+found');
    await spool.append(buildDocument(4));
    expect(await drain(spool)).toEqual([4]);
  });

  it('does not overwrite an earlier one of the same name in the quarantine', async () => {
    const folder = await temporaryFolder();
    for (const content of ['first', 'second', 'third']) {
      await writeFile(join(folder, 'head.json'), content);
      await open(folder);
    }
    const contents = ['head.json', 'head.json.1', 'head.json.2'].map((name) =>
      readFile(join(folder, 'quarantine', name), 'utf8'),
    );
    expect(await Promise.all(contents)).toEqual(['first', 'second', 'third']);
  });

  it('never keeps the spool from opening and working, whatever octets the files hold', async () => {
    const folder = await temporaryFolder();
    const line = fc.constantFrom('', 'a..b\n', '{"sequence":1}', 'a..b\n{"sequence":1}', '{"sequence":1,"digest":"');
    const octets = fc
      .tuple(line, fc.uint8Array({ maxLength: 200 }))
      .map(([text, tail]) => Buffer.concat([Buffer.from(text), tail]));
    await fc.assert(
      fc.asyncProperty(octets, octets, octets, async (document, head, stranger) => {
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder);
        await writeFile(join(folder, documentName(1)), document);
        await writeFile(join(folder, 'head.json'), head);
        await writeFile(join(folder, 'stranger'), stranger);
        const spool = await open(folder);
        const { documents, quarantined: aside } = spool.status();
        expect(documents === 1 || aside >= 2).toBe(true);
        await spool.append(buildDocument((spool.head?.sequence ?? 0) + 1));
        expect(await drain(spool)).toHaveLength(documents + 1);
      }),
      { numRuns: 60 },
    );
  });
});
