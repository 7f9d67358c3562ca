/** Certificate files: what is good is read, and what is missing, exposed, expired or mismatched is one clear error. */

import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentKeyProblems } from '../../src/config/key-problems.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { openConfigFile } from '../../src/config/config-file.ts';
import {
  readAuthorities,
  readCertificateKey,
  readClientCertificate,
  readTlsMaterial,
} from '../../src/config/tls-files.ts';
import { writeKeyPair } from '../../src/config/key-pair.ts';
import { Authority, type Issued } from '../agent/authority.ts';
import { toolsMissing } from '../linux/privileges.ts';

const missing = toolsMissing('openssl');
const NOW_MS = Date.UTC(2026, 0, 1);
/** `Authority` gives its own certificate the time of the machine and 30 days. */
const AUTHORITY_NOW_MS = Date.now();

describe.skipIf(missing)(`certificates (${missing ?? 'with openssl'})`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'popprobe-tls-files-'));
  let authority: Authority;
  let client: Issued;
  let other: Issued;
  let expired: Issued;

  beforeAll(() => {
    authority = new Authority(folder, 'own');
    client = authority.issue('hkg1', 'DNS:hkg1');
    other = authority.issue('sin1', 'DNS:sin1');
    expired = authority.issue('old', 'DNS:old', '20210101');
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function write(name: string, content: string): string {
    const file = join(folder, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  }

  it('are read as they are', () => {
    const clientCertificate = { certificateFile: client.certificateFile, keyFile: client.keyFile };
    const target = { urls: ['https://a'], caFile: authority.certificateFile, clientCertificate, proxy: null } as const;
    expect(readTlsMaterial(target, AUTHORITY_NOW_MS)).toEqual({
      ca: authority.certificate,
      client: { cert: client.cert, key: client.key },
    });
    expect(readTlsMaterial({ ...target, caFile: null, clientCertificate: null }, NOW_MS)).toEqual({
      ca: null,
      client: null,
    });
  });

  it('of authorities may have expired beside one that has not, and all may have text around them', () => {
    const both = write('both.pem', `# old and new\n${expired.cert}\n# new\n${client.cert}`);
    expect(readAuthorities(both, NOW_MS)).toContain(client.cert);
    const old = write('old-only.pem', expired.cert);
    expect(() => readAuthorities(old, NOW_MS)).toThrow(
      expect.objectContaining({
        code: 'certificate_unusable',
        found: `one that ended at 2021-01-01T00:00:00.000Z in ${old}`,
      }),
    );
  });

  it.each([
    ['there is none', () => join(folder, 'none.pem'), /^no such file or directory: /],
    ['it is a directory', () => folder, /^a directory: /],
    ['it is empty', () => write('empty.pem', ''), /^none in /],
    ['it has a key only', () => client.keyFile, /^none in /],
    ['it is damaged', () => write('cut.pem', client.cert.replace(/\n[^\n]{20}/, '\n')), /^a damaged one in /],
    ['it is larger than the limit', () => write('huge.pem', client.cert.repeat(2000)), /octets, more than/],
  ])('are refused when %s', (_, file, found) => {
    expect(() => readAuthorities(file(), NOW_MS)).toThrow(
      expect.objectContaining({ code: 'certificate_unusable', found: expect.stringMatching(found) }),
    );
  });

  it('of a client are refused with another key, and when they have expired', () => {
    const read = (own: Issued, key: Issued) => () => readClientCertificate(own.certificateFile, key.keyFile, NOW_MS);
    expect(read(client, other)).toThrow(
      expect.objectContaining({ code: 'certificate_unusable', remedy: 'name a pair' }),
    );
    expect(read(expired, expired)).toThrow(expect.objectContaining({ code: 'certificate_unusable' }));
    expect(read(other, other)().key).toBe(other.key);
  });

  it('have a key that only its owner may read, or the group among the credentials of a systemd service', () => {
    const file = write('open.key', client.key);
    chmodSync(file, 0o640);
    expect(() => readCertificateKey(file)).toThrow(
      expect.objectContaining({ code: 'key_exposed', remedy: `run: chmod 600 ${file}` }),
    );
    expect(readCertificateKey(file, folder).pem).toBe(client.key);
  });

  it('have a key that is one', () => {
    expect(() => readCertificateKey(client.certificateFile)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/key_exposed|key_invalid/) }),
    );
    expect(() => readCertificateKey(write('no.key', 'key'))).toThrow(expect.objectContaining({ code: 'key_invalid' }));
    expect(() => readCertificateKey(join(folder, 'none.key'))).toThrow(
      expect.objectContaining({ code: 'key_unreadable' }),
    );
  });

  it('are tried by popprobe check, each at the line that names it', async () => {
    const { keyFile } = await writeKeyPair(folder, 'hkg1');
    chmodSync(other.keyFile, 0o604);
    const text = readFileSync('config/quickstart/hkg1.yaml', 'utf8');
    const problemsWith = async (collector: string): Promise<string[]> => {
      const file = write(
        'agent.yaml',
        text.replace(/key_file:.*/, `key_file: ${keyFile}`).replace(/ {2}url:.*/, collector),
      );
      const { source } = openConfigFile(file);
      if (source === null) throw new Error('no YAML');
      return (await agentKeyProblems(source)).map(formatProblem);
    };
    const pair = (certificate: Issued, key: Issued): string =>
      `  client_certificate: { certificate_file: ${certificate.certificateFile}, key_file: ${key.keyFile} }`;
    const url = '  url: https://127.0.0.1:8790';
    expect(await problemsWith(`${url}\n  ca_file: none.pem\n${pair(expired, other)}`)).toEqual([
      expect.stringMatching(/: collector\.ca_file: expected a readable file; .*\[certificate_unusable\]$/),
      expect.stringMatching(/: collector\.client_certificate\.certificate_file: .*\[certificate_unusable\]$/),
      expect.stringMatching(/: collector\.client_certificate\.key_file: .*; run: chmod 600 .*\[key_exposed\]$/),
    ]);
    chmodSync(other.keyFile, 0o600);
    expect(await problemsWith(`${url}\n${pair(client, other)}`)).toEqual([
      expect.stringMatching(
        /: collector\.client_certificate\.certificate_file: .*name a pair \[certificate_unusable\]$/,
      ),
    ]);
    expect(await problemsWith(`${url}\n  ca_file: ${authority.certificateFile}\n${pair(client, client)}`)).toEqual([]);
  });
});
