/** A certificate authority of the test's own, by openssl: Node.js cannot make certificates. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Issued {
  /** Paths of the PEM files; the key's mode is 0600. */
  certificateFile: string;
  keyFile: string;
  cert: string;
  key: string;
}

/** OpenSSL's `ca`, because only it dates a certificate back. */
const CONFIGURATION = `
[ca]
default_ca = own
[own]
new_certs_dir = .
database = index.txt
rand_serial = yes
default_md = sha256
policy = anything
unique_subject = no
copy_extensions = copy
[anything]
commonName = supplied
`;

export class Authority {
  readonly #folder: string;
  readonly certificateFile: string;
  /** PEM. */
  readonly certificate: string;

  /** Makes key and certificate of an authority in a new folder below `parent`. */
  constructor(parent: string, name: string) {
    this.#folder = join(parent, name);
    mkdirSync(this.#folder);
    writeFileSync(join(this.#folder, 'ca.cnf'), CONFIGURATION);
    writeFileSync(join(this.#folder, 'index.txt'), '');
    const usage = ['-addext', 'basicConstraints=critical,CA:true'];
    this.#openssl('req', '-x509', ...NEW_KEY, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', `/CN=${name}`, ...usage);
    this.certificateFile = join(this.#folder, 'ca.pem');
    this.certificate = readFileSync(this.certificateFile, 'utf8');
  }

  /**
   * Issues a certificate for `subject`, such as `IP:127.0.0.1` or `DNS:collector.example.net`, valid until a day such as
   * `20200102`, and from another one on.
   */
  issue(name: string, subject: string, until = '20490101', from = '20200101'): Issued {
    const [key, request, cert] = [`${name}.key`, `${name}.csr`, `${name}.pem`];
    const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${subject}`];
    this.#openssl('req', ...NEW_KEY, '-keyout', key, '-out', request, ...names);
    const dates = ['-startdate', `${from}000000Z`, '-enddate', `${until}000000Z`];
    const issuer = ['-config', 'ca.cnf', '-cert', 'ca.pem', '-keyfile', 'ca.key'];
    this.#openssl('ca', '-batch', '-notext', ...issuer, '-in', request, '-out', cert, ...dates);
    const [certificateFile, keyFile] = [join(this.#folder, cert), join(this.#folder, key)];
    return {
      certificateFile,
      keyFile,
      cert: readFileSync(certificateFile, 'utf8'),
      key: readFileSync(keyFile, 'utf8'),
    };
  }

  #openssl(...words: string[]): void {
    execFileSync('openssl', words, { cwd: this.#folder, stdio: 'ignore' });
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
