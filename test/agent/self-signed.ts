/** A key and a certificate for servers on 127.0.0.1, made by openssl: Node.js cannot make one. */

import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from './spool-fixture.ts';

/** Both as PEM, and the certificate's file, which is there until the test has ended. */
export async function selfSigned(): Promise<{ key: string; cert: string; certFile: string }> {
  const folder = await temporaryFolder();
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=collector', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', '-x509', ...algorithm, '-keyout', key, '-out', cert, ...subject], {
    stdio: 'ignore',
  });
  return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8'), certFile: cert };
}
