/** Verifies the signature of a document: nothing of the line is trusted until it has been read strictly. */

import type { KeyObject } from 'node:crypto';
import { flattenedVerify } from 'jose/jws/flattened/verify';
import { z } from 'zod';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { DocumentKind } from './document-kind.ts';
import { ALGORITHM, SIGNATURE_HEADER, SIGNATURE_TYPES } from './jws.ts';
import { parseJsonStrictly } from './strict-json.ts';

/** Any other member could change what the signature means, so there is none. */
const headerSchema = z.strictObject({
  alg: z.string(),
  b64: z.boolean(),
  crit: z.array(z.string()).max(1),
  kid: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  typ: z.string(),
});

type Header = z.infer<typeof headerSchema>;

interface Line {
  encodedHeader: string;
  signature: string;
  kid: string;
  kind: DocumentKind;
}

/**
 * Reads who claims to have signed, and what. To be called before any key is looked up: until then nothing of the line
 * is trusted.
 *
 * @throws PopprobeError `malformed` when the line is not a detached JWS of exactly our members; `bad_signature` when
 * it is one, but of an algorithm, form or type that is not accepted.
 */
export function readHeader(line: string): { kid: string; kind: DocumentKind } {
  const { kid, kind } = readLine(line);
  return { kid, kind };
}

/**
 * Returns when `line` is the key's signature of exactly these octets.
 *
 * @throws PopprobeError `malformed` and `bad_signature` as `readHeader`; `bad_signature` when the signature is wrong.
 */
export async function verifyDetached(line: string, octets: Uint8Array, publicKey: KeyObject): Promise<void> {
  const { encodedHeader, signature } = readLine(line);
  const jws = { protected: encodedHeader, payload: octets, signature };
  try {
    // The header was checked above; the list keeps jose from accepting the key for its older name EdDSA as well.
    await flattenedVerify(jws, publicKey, { algorithms: [ALGORITHM] });
  } catch (cause) {
    throw new PopprobeError('bad_signature', {
      expected: 'the signature of exactly these octets by the named key',
      found: 'another signature, or changed octets',
      remedy: 'send the octets and the line as the agent wrote them; if they are, treat the document as forged',
      cause,
    });
  }
}

function readLine(line: string): Line {
  if (line.length > LIMITS.signatureLineBytesMax) {
    throw malformed(`a line of at most ${LIMITS.signatureLineBytesMax} octets`, `${line.length}`);
  }
  const [encodedHeader, payload, signature, ...rest] = line.split('.');
  if (encodedHeader === undefined || payload !== '' || signature === undefined || rest.length > 0) {
    throw malformed('three parts divided by dots, the middle one empty', 'another form');
  }
  decodeBase64url(signature, 'signature');
  const parsed = headerSchema.safeParse(parseHeader(decodeBase64url(encodedHeader, 'header')));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw malformed(
      'a header of exactly alg, b64, crit, kid, typ',
      `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim(),
    );
  }
  return { encodedHeader, signature, kid: parsed.data.kid, kind: kindOf(parsed.data) };
}

/** The kind of document that an acceptable header is for. */
function kindOf(header: Header): DocumentKind {
  const { summary, record } = SIGNATURE_TYPES;
  const isOurs = header.alg === ALGORITHM && !header.b64 && header.crit[0] === 'b64';
  if (isOurs && header.typ === summary) return 'summary';
  if (isOurs && header.typ === record) return 'record';
  throw new PopprobeError('bad_signature', {
    expected: `alg ${ALGORITHM}, b64 false, crit ["b64"], typ ${summary} or ${record}`,
    found: `alg ${header.alg}, b64 ${header.b64}, crit ${JSON.stringify(header.crit)}, typ ${header.typ}`,
    remedy: 'sign as docs/protocol.md says; no other form is accepted',
  });
}

/** Decodes strictly: what would not encode to the same text again has more than one spelling, and is refused. */
function decodeBase64url(text: string, part: string): Buffer {
  const octets = Buffer.from(text, 'base64url');
  if (octets.length === 0 || octets.toString('base64url') !== text) {
    throw malformed(`a ${part} in base64url without padding`, 'other characters or nothing');
  }
  return octets;
}

function parseHeader(octets: Buffer): unknown {
  try {
    return parseJsonStrictly(octets);
  } catch (cause) {
    throw malformed('a header of JSON in UTF-8', 'something else', cause);
  }
}

function malformed(expected: string, found: string, cause?: unknown): PopprobeError {
  const remedy = `send the line that the agent wrote, unchanged, in the header ${SIGNATURE_HEADER}`;
  return new PopprobeError('malformed', { expected, found, remedy, cause });
}
