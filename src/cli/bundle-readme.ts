/** The page that a bundle of evidence begins with: what is in it, and how anybody verifies it without popprobe. */

/** What the page says of its bundle. */
export interface BundleTitle {
  readonly pop: string;
  /** `2026-01`, or null when it is not only a month. */
  readonly month: string | null;
  /** Thumbprints of the keys, and whether they are revoked. */
  readonly keys: readonly { readonly kid: string; readonly isRevoked: boolean }[];
}

/** The page as Markdown. It depends on nothing but the title, so that the same evidence gives the same octets. */
export function bundleReadme({ pop, month, keys }: BundleTitle): string {
  const period = month === null ? '' : `, ${month} (UTC)`;
  return `# Evidence of PoP ${pop}${period}

What the PoP \`${pop}\` has measured and signed, as popprobe has exported it. Nothing of popprobe is needed to verify it:
OpenSSL 3 or Python 3 does. It can be copied, packed and unpacked at will; what counts are the octets of the files.

| file | what it is |
|---|---|
| \`documents/DAY/NUMBER.json\` | one signed document, octet for octet: what a window was, or an event. \`DAY\` is UTC |
| \`documents/DAY/NUMBER.jws\` | its signature, one line: a detached JWS (RFC 7515 appendix F, RFC 7797), Ed25519 |
| \`later/NUMBER.json\`, \`later/NUMBER.jws\` | records behind these that declare documents given up; mostly there are none |
| \`keys/KID.pem\`, \`keys/KID.jwk.json\` | a public key, in two forms; \`KID\` is its thumbprint (RFC 7638) |
| \`SHA256SUMS\` | the SHA-256 of each of these files, and of this one |
| \`verdict.txt\`, \`verdict.json\` | what \`popprobe verify\` found when the bundle was made. A claim: the following makes it anew |

## Whose keys these are

Everything below shows that the documents belong to these keys:

${keys.map(keyLine).join('\n')}

That the keys belong to the PoP must be known from elsewhere: compare them with what its operator has published, before
or apart from this bundle.

${WITH_OPENSSL}
${WITH_PYTHON}`;
}

function keyLine({ kid, isRevoked }: BundleTitle['keys'][number]): string {
  const how =
    ', which is revoked: what it signed counts only where the chain leads from there to a document of another key';
  return `- \`${kid}\`${isRevoked ? how : ''}`;
}

const WITH_OPENSSL = `## With OpenSSL

In the folder of this page, \`sh\`. It holds every file against its sum, every key against its name and every document against
its signature, and takes some 20 ms for each, so that it is for a day rather than for a month:

\`\`\`sh
(
  sha256sum --check --quiet SHA256SUMS || exit 1
  scratch=$(mktemp -d) || exit 1
  trap 'rm -r "$scratch"' EXIT
  base64url() { base64 -w 0 | tr '+/' '-_' | tr -d '='; }
  unbase64url() { printf '%s%.*s' "$1" $(( (4 - \${#1} % 4) % 4 )) === | tr -- '-_' '+/' | base64 -d; }
  faults=0
  for key in keys/*.pem; do
    x=$(openssl pkey -pubin -in "$key" -outform DER | tail -c 32 | base64url)
    kid=$(printf '{"crv":"Ed25519","kty":"OKP","x":"%s"}' "$x" | openssl dgst -sha256 -binary | base64url)
    test "$key" = "keys/$kid.pem" || { echo "NOT VALID: $key is the key $kid"; faults=1; }
  done
  for line in documents/*/*.jws later/*.jws; do
    test -e "$line" || continue
    IFS=. read -r header nothing signature < "$line"
    kid=$(unbase64url "$header" | sed -n 's/.*"kid":"\\([A-Za-z0-9_-]*\\)".*/\\1/p')
    { printf '%s.' "$header"; cat "\${line%.jws}.json"; } > "$scratch/signed"
    unbase64url "$signature" > "$scratch/signature"
    openssl pkeyutl -verify -rawin -pubin -inkey "keys/$kid.pem" \\
      -in "$scratch/signed" -sigfile "$scratch/signature" > "$scratch/said" 2>&1 ||
      { echo "NOT VALID: $line"; faults=1; }
  done
  test "$faults" = 0 && echo "every signature is valid"
)
\`\`\`
`;

const WITH_PYTHON = `## With Python

\`python3\`, in the folder of this page. It verifies every signature, by the package \`cryptography\` where it is installed and
else by OpenSSL, and the chain: each document names the SHA-256 of the one before (\`prev\`) and the next number. Numbers
that are missing are a fault, unless a record of the chain itself declares that they were given up. Another key is a fault,
unless the one before has announced it.

\`\`\`python
import base64, glob, hashlib, json, os, subprocess, sys, tempfile

def base64url(octets): return base64.urlsafe_b64encode(octets).rstrip(b'=').decode()
def unbase64url(text): return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))
def sha256(octets): return base64url(hashlib.sha256(octets).digest())
def content(path): return open(path, 'rb').read()

try:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    def is_valid(pem, signature, signed):
        try: load_pem_public_key(pem).verify(signature, signed)
        except Exception: return False
        return True
except ImportError:
    def is_valid(pem, signature, signed):
        with tempfile.TemporaryDirectory() as folder:
            for name, octets in [('pem', pem), ('signature', signature), ('signed', signed)]:
                with open(f'{folder}/{name}', 'wb') as file: file.write(octets)
            verify = 'openssl pkeyutl -verify -rawin -pubin -inkey pem -in signed -sigfile signature'
            return subprocess.run(verify.split(), cwd=folder, capture_output=True).returncode == 0

keys = {}
for pem in map(content, glob.glob('keys/*.pem')):
    x = base64url(base64.b64decode(b''.join(pem.splitlines()[1:-1]))[-32:])
    keys[sha256(b'{"crv":"Ed25519","kty":"OKP","x":"%s"}' % x.encode())] = pem

faults, holes, declared, announced, before, signer = [], [], [], [], None, None

def verified(path):
    octets = content(path)
    header, _, signature = content(path[:-5] + '.jws').decode().strip().split('.')
    kid = json.loads(unbase64url(header))['kid']
    if kid not in keys or not is_valid(keys[kid], unbase64url(signature), header.encode() + b'.' + octets):
        faults.append(f'{path}: the signature is not valid')
        return None
    document = json.loads(octets)
    event = document.get('event', {})
    if event.get('kind') == 'gap': declared.extend(event['ranges'])
    return kid, document, event, sha256(octets)

def by_number(pattern): return sorted(glob.glob(pattern), key=os.path.basename)

for path in by_number('documents/*/*.json'):
    found = verified(path)
    if found is None: continue
    kid, document, event, name = found
    number, prev = document['sequence'], document['prev']
    if before is not None and number > before + 1: holes.append((before + 1, number - 1))
    elif before is not None and (number <= before or prev != digest):
        faults.append(f'{path}: does not follow document {before}')
    if kid != signer:
        if prev is not None and signer is not None and kid not in announced:
            faults.append(f'{path}: nobody announced the key {kid}')
        signer, announced = kid, []
    if event.get('kind') == 'key': announced.append(event['kid'])
    before, digest = number, name

for path in by_number('later/*.json'): verified(path)
for first, last in holes:
    if not all(any(a <= n <= b for a, b in declared) for n in range(first, last + 1)):
        faults.append(f'documents {first} to {last} are missing')
print('\\n'.join(faults) or f'valid, up to document {before} of digest {digest}')
sys.exit(1 if faults or before is None else 0)
\`\`\`

The digest of the last document stands for everything before it: whoever has written it down finds the same documents, or
none that fit. That nothing is cut off at the two ends, no chain can show; \`verdict.txt\` says from when to when it reaches.
`;
