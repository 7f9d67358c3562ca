/** A bundle of evidence is verified by what its own README prints, run as it stands there, and a changed one is not. */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sealer } from '../../src/agent/seal.ts';
import { documentName } from '../../src/agent/spool-file.ts';
import { parseMonth } from '../../src/cli/month.ts';
import { runExport } from '../../src/cli/run-export.ts';
import { Rig } from '../collector/harness.ts';
import { open } from '../agent/spool-fixture.ts';
import { bodyOf } from '../agent/summary-body.ts';
import { chainOf, eventLink, linkAll, smallSummary, storeAll, windowLink } from '../collector/stored-chain.ts';
import { refusalOf } from '../protocol/refusal.ts';
import { buildKey, type TestKey, WINDOW_START_S } from '../protocol/summary-fixture.ts';
import { fileByHand, piped, sealInto, writePublicKey } from './evidence-fixture.ts';
import { popprobe } from './program.ts';

const NOW_MS = Date.UTC(2026, 1, 15, 12);
const DAY = 'documents/2026-01-01';
const NUMBERS = [0, 1, 2, 3, 4].map((index) => `000000${1_767_225_600 + index}`);

let folder: string;
let key: TestKey;
let keyFile: string;
let spool: string;
let bundle: string;
let printed: { sh: string; python: string };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popprobe-bundle-'));
  key = await buildKey();
  keyFile = await writePublicKey(folder, 'fra', key);
  spool = join(folder, 'spool');
  await sealInto(spool, key, 5);
  bundle = join(folder, 'bundle');
  await exported(bundle);
  const readme = readFileSync(join(bundle, 'README.md'), 'utf8');
  printed = { sh: blockOf(readme, 'sh'), python: blockOf(readme, 'python') };
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

function blockOf(page: string, language: string): string {
  const block = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1];
  if (block === undefined) throw new Error(`the README has no block of ${language}`);
  return block;
}

async function exported(
  out: string,
  { files = [spool], nowMs = NOW_MS }: { files?: string[]; nowMs?: number } = {},
): Promise<{ isValid: boolean; lines: string[] }> {
  const { surroundings, printed: output } = piped(nowMs);
  const isValid = await runExport(files, { key: [keyFile], pop: 'fra', out }, surroundings);
  return { isValid, lines: (await output()).trimEnd().split('\n') };
}

/** Every file below a folder with its octets' digest. */
function contentOf(root: string): Record<string, string> {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(root, path)).isFile(),
  );
  return Object.fromEntries(
    files.toSorted().map((path) => [
      path,
      createHash('sha256')
        .update(readFileSync(join(root, path)))
        .digest('hex'),
    ]),
  );
}

/** Python with its packages, and one that has nothing but itself and so takes OpenSSL. */
const PYTHONS = [
  ['python3', '-'],
  ['python3', '-S', '-'],
];

function verifyWith(program: readonly string[], input: string, cwd: string): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(program[0] ?? '', program.slice(1), { cwd, input, encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

/** The exit status of each printed program in a folder. */
function statuses(cwd: string): (number | null)[] {
  const runs = [
    verifyWith(['sh'], printed.sh, cwd),
    ...PYTHONS.map((python) => verifyWith(python, printed.python, cwd)),
  ];
  return runs.map(({ status }) => status);
}

/** A copy of the bundle, changed. */
function tampered(name: string, change: (root: string) => void): string {
  const root = join(folder, name);
  cpSync(bundle, root, { recursive: true });
  change(root);
  return root;
}

/** Makes the manifest agree with what is there, as whoever changes a bundle would. */
function renewSums(root: string): void {
  const sums = Object.entries(contentOf(root)).filter(([path]) => !/^(SHA256SUMS|verdict)/.test(path));
  writeFileSync(join(root, 'SHA256SUMS'), sums.map(([path, sum]) => `${sum}  ${path}\n`).join(''));
}

describe('a bundle', () => {
  it('has every document as it was signed, its signature, the keys, the sums, the verdict and a README', () => {
    const documents = NUMBERS.flatMap((number) => [`${DAY}/${number}.json`, `${DAY}/${number}.jws`]);
    const keys = [`keys/${key.kid}.jwk.json`, `keys/${key.kid}.pem`];
    const rest = ['README.md', 'SHA256SUMS', 'verdict.json', 'verdict.txt'];
    expect(Object.keys(contentOf(bundle))).toEqual([...documents, ...keys, ...rest].toSorted());
    const [number = ''] = NUMBERS;
    const spooled = readFileSync(join(spool, `${number}.jws`), 'latin1');
    const lineEnd = spooled.indexOf('\n');
    const octets = readFileSync(join(bundle, DAY, `${number}.json`), 'latin1');
    const line = readFileSync(join(bundle, DAY, `${number}.jws`), 'latin1');
    expect([line.trimEnd(), octets]).toEqual([spooled.slice(0, lineEnd).split(' ')[0], spooled.slice(lineEnd + 1)]);
  });

  it('has the verdict of popprobe verify, for people and for programs', () => {
    const lines = readFileSync(join(bundle, 'verdict.txt'), 'utf8').trimEnd().split('\n');
    expect(lines.at(-1)).toBe('verdict: valid, 5 documents of fra');
    expect(JSON.parse(readFileSync(join(bundle, 'verdict.json'), 'utf8'))).toMatchObject({ verdict: 'valid' });
  });

  it('is verified by what its README prints, with sha256sum and OpenSSL, and with Python', () => {
    const sums = execFileSync('sha256sum', ['--check', 'SHA256SUMS'], { cwd: bundle, encoding: 'utf8' });
    expect(sums.trimEnd().split('\n')).toHaveLength(5 * 2 + 3);
    expect(verifyWith(['sh'], printed.sh, bundle)).toEqual({ status: 0, said: 'every signature is valid\n' });
    for (const python of PYTHONS) {
      const { status, said } = verifyWith(python, printed.python, bundle);
      expect(said).toMatch(/^valid, up to document 1767225604 of digest [\w-]{43}\n$/);
      expect(status).toBe(0);
    }
  });

  it('is the same again for the same evidence, but for the time of the verdict', async () => {
    const again = join(folder, 'again');
    await exported(again, { nowMs: NOW_MS + 5000 });
    const [before, after] = [contentOf(bundle), contentOf(again)];
    const different = Object.keys(before).filter((path) => before[path] !== after[path]);
    expect(different).toEqual(['verdict.json', 'verdict.txt']);
    await exported(again);
    expect(contentOf(again)).toEqual(before);
  });
});

describe('a changed bundle', () => {
  const [, second = '', third = ''] = NUMBERS;
  const change = (root: string, path: string, to: (octets: Buffer) => Buffer): void => {
    writeFileSync(join(root, path), to(readFileSync(join(root, path))));
  };
  const bitFlipped = (octets: Buffer): Buffer => {
    const copy = Buffer.from(octets);
    const at = Math.floor(copy.length / 2);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };

  it.each([
    ['a document', `${DAY}/${second}.json`],
    ['a signature', `${DAY}/${second}.jws`],
  ])('in %s is not valid, also when the sums agree with it', (what, path) => {
    const root = tampered(what, (copy) => change(copy, path, bitFlipped));
    expect(statuses(root)).toEqual([1, 1, 1]);
    renewSums(root);
    expect(statuses(root)).toEqual([1, 1, 1]);
  });

  it('that lacks a document is not valid', () => {
    const root = tampered('lacking', (copy) => {
      rmSync(join(copy, DAY, `${third}.json`));
      rmSync(join(copy, DAY, `${third}.jws`));
    });
    expect(statuses(root)).toEqual([1, 1, 1]);
    renewSums(root);
    // Signatures alone do not tell: the chain does.
    expect(statuses(root)).toEqual([0, 1, 1]);
    expect(verifyWith(['python3', '-'], printed.python, root).said).toContain(
      'documents 1767225602 to 1767225602 are missing',
    );
  });

  it('with a document in the place of another is not valid', () => {
    const root = tampered('swapped', (copy) => {
      for (const suffix of ['.json', '.jws']) cpSync(join(copy, DAY, third + suffix), join(copy, DAY, second + suffix));
    });
    expect(statuses(root)).toEqual([1, 1, 1]);
    renewSums(root);
    expect(statuses(root)).toEqual([0, 1, 1]);
  });

  it('with another key under the name of the first is not valid', async () => {
    const other = await buildKey();
    const pem = other.publicKey.export({ format: 'pem', type: 'spki' });
    const root = tampered('other key', (copy) => {
      writeFileSync(join(copy, 'keys', `${key.kid}.pem`), pem);
      renewSums(copy);
    });
    expect(statuses(root)).toEqual([1, 1, 1]);
  });

  it('with a document that its key never signed is not valid, although the key is there', async () => {
    const other = await buildKey();
    const { sequence = 0, prev = null } = JSON.parse(readFileSync(join(bundle, DAY, `${second}.json`), 'utf8')) as {
      sequence?: number;
      prev?: string | null;
    };
    const forged = fileByHand(smallSummary(1, { sequence, prev }), { ...other, kid: key.kid });
    const root = tampered('forged', (copy) => {
      const at = forged.indexOf('\n');
      writeFileSync(join(copy, DAY, `${second}.json`), forged.subarray(at + 1));
      writeFileSync(join(copy, DAY, `${second}.jws`), `${forged.subarray(0, at).toString().split(' ')[0] ?? ''}\n`);
      renewSums(copy);
    });
    expect(statuses(root)).toEqual([1, 1, 1]);
  });
});

describe('a bundle with events', () => {
  const FIRST = 1_767_225_600;
  let keyFiles: string[];
  let next: TestKey;

  beforeAll(async () => {
    next = await buildKey();
    keyFiles = [keyFile, await writePublicKey(folder, 'next', next)];
  });

  /** Two windows, one that is lost, its declaration, a change of the key, two more windows. */
  async function sealEvents(directory: string): Promise<void> {
    const { pop, boot_id, software } = smallSummary(0);
    const sealer = new Sealer(await open(directory), key, () => FIRST, { pop, boot_id, software });
    for (let window = 0; window < 3; window += 1) await sealer.seal(bodyOf(smallSummary(window)));
    rmSync(join(directory, documentName(FIRST + 2)));
    await sealer.sealRecord({ kind: 'gap', ranges: [[FIRST + 2, FIRST + 2]], reason: 'spool_full' }, FIRST * 1000);
    await sealer.use({ key, next });
    for (let window = 3; window < 5; window += 1) await sealer.seal(bodyOf(smallSummary(window)));
  }

  it('is verified with what was given up declared, and a key announced; and is not without either', async () => {
    const directory = join(folder, 'spool with events');
    await sealEvents(directory);
    const out = join(folder, 'events');
    const run = popprobe('evidence', 'export', directory, '--pop', 'fra', '--key', ...keyFiles, '--out', out);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(statuses(out)).toEqual([0, 0, 0]);
    for (const [name, said] of [
      [documentName(FIRST + 3), `documents ${FIRST + 2} to ${FIRST + 3} are missing`],
      [documentName(FIRST + 4), `nobody announced the key ${next.kid}`],
    ] as const) {
      const root = tampered(`without ${name}`, (copy) => {
        rmSync(copy, { recursive: true });
        cpSync(out, copy, { recursive: true });
        rmSync(join(copy, DAY, name));
        rmSync(join(copy, DAY, name.replace('.jws', '.json')));
        renewSums(copy);
      });
      expect(statuses(root)).toEqual([0, 1, 1]);
      expect(verifyWith(['python3', '-'], printed.python, root).said).toContain(said);
    }
  });

  it('has the later records that declare what a month lacks, apart from its documents', async () => {
    const rig = await Rig.start();
    // The month ends after its third document; the second was given up, as the sixth declares.
    const startS = Date.UTC(2026, 1) / 1000 - 180;
    const atS = startS - WINDOW_START_S;
    const links = Array.from({ length: 5 }, (_, index) => windowLink(atS / 60 + index));
    const gap = eventLink({ kind: 'gap', ranges: [[2, 2]], reason: 'too_old' }, atS + 300);
    const chain = await linkAll(rig.keys.fra, [...links, gap]);
    await storeAll(
      rig,
      chain.filter(({ sequence }) => sequence !== 2),
    );
    const out = join(folder, 'month with a gap');
    const { surroundings } = piped(NOW_MS);
    const options = { key: [await writePublicKey(rig.folder, 'fra', rig.keys.fra)], pop: 'fra', out };
    const month = parseMonth('2026-01');
    expect(await runExport([], { ...options, from: new URL(rig.url), month }, surroundings)).toBe(true);
    await rig.end();
    const names = Object.keys(contentOf(out)).filter((name) => name.endsWith('.jws'));
    expect(names).toEqual([1, 3, 6].map((n) => `${n === 6 ? 'later' : 'documents/2026-01-31'}/${documentName(n)}`));
    expect(statuses(out)).toEqual([0, 0, 0]);
    rmSync(join(out, 'later'), { recursive: true });
    renewSums(out);
    expect(statuses(out)).toEqual([0, 1, 1]);
  });
});

describe('an export', () => {
  it('leaves out what is not right, says so, and is not valid', async () => {
    const damaged = join(folder, 'damaged');
    cpSync(spool, damaged, { recursive: true });
    const file = join(damaged, `${NUMBERS[2] ?? ''}.jws`);
    writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.from(' ')]));
    const out = join(folder, 'partial');
    const { isValid, lines } = await exported(out, { files: [damaged] });
    expect(isValid).toBe(false);
    expect(lines.join('\n')).toMatch(/digest_mismatch[\s\S]*documents_missing[\s\S]*written: /);
    expect(existsSync(join(out, DAY, `${NUMBERS[2] ?? ''}.json`))).toBe(false);
    expect(statuses(out)).toEqual([0, 1, 1]);
  });

  it('keeps two rightly signed documents of one number, and copies of one once', async () => {
    const replayed = join(folder, 'replayed');
    cpSync(spool, replayed, { recursive: true });
    cpSync(join(spool, `${NUMBERS[1] ?? ''}.jws`), join(replayed, 'copy.jws'));
    const { prev } = JSON.parse(readFileSync(join(bundle, DAY, `${NUMBERS[3] ?? ''}.json`), 'utf8')) as {
      prev: string;
    };
    const other = smallSummary(3, { sequence: 1_767_225_603, prev, software: 'popprobe other' });
    writeFileSync(join(replayed, 'replay.jws'), fileByHand(other, key));
    const out = join(folder, 'replays');
    const { lines } = await exported(out, { files: [replayed] });
    expect(lines.join('\n')).toContain('[document_replayed]');
    const names = readdirSync(join(out, DAY)).filter((name) => name.endsWith('.json'));
    expect(names).toHaveLength(6);
    expect(names.filter((name) => name.startsWith(NUMBERS[3] ?? ''))).toHaveLength(2);
    expect(execFileSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: out, encoding: 'utf8' })).toBe('');
    expect(statuses(out)).toEqual([0, 1, 1]);
  });

  it('goes on where it was interrupted, and does not touch what is there already', async () => {
    const out = join(folder, 'resumed');
    cpSync(bundle, out, { recursive: true });
    const kept = join(out, DAY, `${NUMBERS[0] ?? ''}.json`);
    utimesSync(kept, 1, 1);
    for (const path of ['SHA256SUMS', 'verdict.json', `${DAY}/${NUMBERS[4] ?? ''}.jws`]) rmSync(join(out, path));
    const torn = `${DAY}/${NUMBERS[3] ?? ''}.json`;
    writeFileSync(join(out, torn), readFileSync(join(out, torn)).subarray(0, 100));
    writeFileSync(join(out, `${torn}.tmp`), 'half');
    await exported(out);
    expect(contentOf(out)).toEqual(contentOf(bundle));
    expect(statSync(kept).mtimeMs).toBe(1000);
  });

  it('killed in the middle leaves no half file under its name, and the next one completes it', async () => {
    const many = join(folder, 'many');
    mkdirSync(many);
    let prev: string | null = null;
    for (let index = 0; index < 1500; index += 1) {
      const sequence = 1_767_225_600 + index;
      const file = fileByHand(smallSummary(index, { sequence, prev }), key);
      prev = createHash('sha256')
        .update(file.subarray(file.indexOf('\n') + 1))
        .digest('base64url');
      writeFileSync(join(many, documentName(sequence)), file);
    }
    const out = join(folder, 'killed');
    const args = ['dist/main.js', 'evidence', 'export', many, '--pop', 'fra', '--key', keyFile, '--out', out];
    const child = spawn(process.execPath, args, { stdio: 'ignore' });
    const exited = once(child, 'exit');
    await expect
      .poll(() => existsSync(join(out, DAY)) && readdirSync(join(out, DAY)).length > 40, {
        interval: 1,
        timeout: 20_000,
      })
      .toBe(true);
    child.kill('SIGKILL');
    await exited;
    expect(existsSync(join(out, 'SHA256SUMS'))).toBe(false);
    const whole = join(folder, 'whole');
    await exported(whole, { files: [many] });
    const [half, all] = [contentOf(out), contentOf(whole)];
    expect(Object.entries(half).filter(([path, sum]) => !path.endsWith('.tmp') && all[path] !== sum)).toEqual([]);
    expect(popprobe(...args.slice(1)).status).toBe(0);
    const done = Object.entries(contentOf(out)).filter(([path]) => !path.startsWith('verdict'));
    expect(Object.fromEntries(done)).toEqual(
      Object.fromEntries(Object.entries(all).filter(([path]) => !path.startsWith('verdict'))),
    );
  });

  it('fetches the documents of a PoP and a month from a collector', async () => {
    const rig = await Rig.start();
    const publicFile = await writePublicKey(rig.folder, 'fra', rig.keys.fra);
    // Two of the last minutes of January, three of February.
    await storeAll(rig, await chainOf(rig.keys.fra, 5, { startS: Date.UTC(2026, 1) / 1000 - 120 }));
    const out = join(folder, 'fetched');
    const args = ['dist/main.js', 'evidence', 'export', '--from', rig.url, '--pop', 'fra', '--month', '2026-02'];
    const child = spawn(process.execPath, [...args, '--key', publicFile, '--out', out], { stdio: 'ignore' });
    expect(await once(child, 'exit')).toEqual([0, null]);
    await rig.end();
    const names = Object.keys(contentOf(join(out, 'documents'))).filter((name) => name.endsWith('.json'));
    expect(names).toEqual([3, 4, 5].map((sequence) => `2026-02-01/${documentName(sequence).replace('.jws', '.json')}`));
    expect(readFileSync(join(out, 'README.md'), 'utf8')).toMatch(/^# Evidence of PoP fra, 2026-02 \(UTC\)\n/);
    expect(statuses(out)).toEqual([0, 0, 0]);
  });

  it('never writes among other files', async () => {
    const other = join(folder, 'other');
    cpSync(join(bundle, 'keys'), other, { recursive: true });
    expect((await refusalOf(() => exported(other))).code).toBe('bundle_exists');
    const ofOtherKeys = join(folder, 'other bundle');
    cpSync(bundle, ofOtherKeys, { recursive: true });
    writeFileSync(join(ofOtherKeys, 'README.md'), '# Evidence of PoP ams');
    expect((await refusalOf(() => exported(ofOtherKeys))).code).toBe('bundle_exists');
    expect((await refusalOf(() => exported(join(keyFile, 'below a file')))).code).toBe('bundle_unwritable');
  });

  it('is a tar file of the same files when it is called so, and the same octets each time', async () => {
    const [one, two] = [join(folder, 'one', 'fra.tar'), join(folder, 'two', 'fra.tar')];
    expect((await refusalOf(() => exported(one))).code).toBe('bundle_unwritable');
    for (const file of [one, two]) {
      cpSync(join(bundle, 'keys'), join(file, '..'), { recursive: true });
      expect((await exported(file)).isValid).toBe(true);
    }
    expect(readFileSync(one).equals(readFileSync(two))).toBe(true);
    expect(existsSync(`${one}.tmp`)).toBe(false);
    execFileSync('tar', ['-xf', one], { cwd: folder });
    expect(contentOf(join(folder, 'fra'))).toEqual(contentOf(bundle));
    expect(statuses(join(folder, 'fra'))).toEqual([0, 0, 0]);
  });

  it.each(['é.tar', '.tar', `${'n'.repeat(200)}.tar`])(
    'has a name in the archive %s that can be unpacked',
    async (name) => {
      const out = join(folder, 'names', name);
      mkdirSync(join(folder, 'names'), { recursive: true });
      await exported(out);
      const paths = execFileSync('tar', ['-tf', out], { encoding: 'utf8' }).trimEnd().split('\n');
      expect(paths.filter((path) => !path.startsWith('evidence/'))).toEqual([]);
      expect(paths).toContain('evidence/README.md');
    },
  );

  it('is a command that says what it did', () => {
    const out = join(folder, 'by command');
    const run = popprobe('evidence', 'export', spool, '--pop', 'fra', '--key', keyFile, '--out', out);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(run.stdout.trimEnd().split('\n').slice(-2)).toEqual([
      'verdict: valid, 5 documents of fra',
      `written: ${out}`,
    ]);
    for (const wrong of [['evidence'], ['evidence', 'export', spool, '--key', keyFile, '--out', out]]) {
      expect(popprobe(...wrong)).toMatchObject({ status: 2, stdout: '' });
    }
  });
});
