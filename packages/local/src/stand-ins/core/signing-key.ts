import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';

/** The RSA key with which a local provider signs its tokens, and what it publishes of it. */
export type SigningKey = {
  /** With the private part: never to be served. */
  privateJwk: JWK;
  publicJwk: JWK;
  /** A token with these claims; its header names the key, unless another header is given. */
  sign(payload: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
};

const ALGORITHM = 'RS256';

/** @param keptJwk the private key of an earlier run; a new one is made without it */
export async function createSigningKey(kid: string, keptJwk?: JWK): Promise<SigningKey> {
  const privateJwk = keptJwk ?? (await newKey());
  const { kty, n, e } = privateJwk;
  const key = await importJWK(privateJwk, ALGORITHM);
  return {
    privateJwk,
    // Hasura drops keys that do not say what they are for.
    publicJwk: { use: 'sig', kid, alg: ALGORITHM, ...(kty && { kty }), ...(n && { n }), ...(e && { e }) },
    sign: (payload, header = { kid }) =>
      new SignJWT(payload).setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', ...header }).sign(key),
  };
}

async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { modulusLength: 2048, extractable: true });
  return exportJWK(privateKey);
}
