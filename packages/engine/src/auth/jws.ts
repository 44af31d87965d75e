/**
 * A signed token (JWS) taken apart as Hasura's JOSE library does it: what is spelled in another way, or has a
 * known header parameter of the wrong type, is refused whether or not the parameter matters.
 */
import { z } from 'zod';
import { EngineError } from '#base/errors.ts';
import { parseFirstKeyJson } from '#values/exact-json.ts';
import { decodeBase64url } from './base64.ts';
import { certificates, parseJwk, sha256Thumbprint, thumbprint, uri } from './jwk.ts';

const jwk = z.unknown().refine((value) => {
  try {
    parseJwk(value);
    return true;
  } catch {
    return false;
  }
}, 'expected a JSON Web Key');

/** A null is of the wrong type too. */
const header = z.looseObject({
  alg: z.string(),
  jku: uri.optional(),
  jwk: jwk.optional(),
  kid: z.string().optional(),
  x5u: uri.optional(),
  x5c: certificates.optional(),
  x5t: thumbprint.optional(),
  'x5t#S256': sha256Thumbprint.optional(),
  typ: z.string().optional(),
  cty: z.string().optional(),
  // No extension is known, so there is none that a token may insist on.
  crit: z.never().optional(),
});

export interface Jws {
  readonly alg: string;
  /** What was signed. */
  readonly input: Buffer;
  readonly payload: Buffer;
  readonly signature: Buffer;
}

export const invalidJwt = (why: string) => new EngineError('invalid-jwt', `Could not verify JWT: ${why}`);

/** The signature is not looked at. @throws {EngineError} `invalid-jwt` */
export function parseJws(token: string): Jws {
  const parts = token.split('.');
  const [head, payload, signature] = parts;
  if (head === undefined || payload === undefined || signature === undefined || parts.length !== 3) {
    throw invalidJwt(
      `JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; got ${parts.length})`,
    );
  }
  const bytes = decodeBase64url(payload);
  if (bytes === undefined) throw undecodable('payload: Not valid base64url');
  const json = decodeBase64url(head);
  if (json === undefined) throw undecodable('protected: Not valid base64url');
  const { alg } = parseHeader(json);
  const signed = decodeBase64url(signature);
  if (signed === undefined) throw undecodable('signature: Not valid base64url');
  return { alg, input: Buffer.from(`${head}.${payload}`), payload: bytes, signature: signed };
}

function parseHeader(json: Buffer): z.output<typeof header> {
  const value = parseJsonBytes(json);
  if (value === undefined) throw undecodable('protected header contains invalid JSON');
  const parsed = header.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw undecodable(`header ${String(issue?.path[0] ?? '')}: ${issue?.message ?? 'invalid'}`);
}

const undecodable = (why: string) => invalidJwt(`JWSError (JSONDecodeError ${JSON.stringify(why)})`);

/** Undefined for what is no JSON in UTF-8. */
export function parseJsonBytes(bytes: Buffer): unknown {
  try {
    return parseFirstKeyJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
