/** Signatures of tokens: which algorithms a key is for, and whether one fits. */
import { constants, createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto';

const CURVES: Readonly<Record<string, string>> = {
  ES256: 'prime256v1',
  ES384: 'secp384r1',
  ES512: 'secp521r1',
};

/**
 * Whether `key` signed `input` by `alg`. A public key never serves as an HMAC secret, and a secret must be as long as
 * the hash. Of the algorithms that it is long enough for, Hasura takes each, whatever `type` says.
 */
export function verifies(alg: string, key: KeyObject, input: Buffer, signature: Buffer): boolean {
  if (alg === 'EdDSA') return key.asymmetricKeyType === 'ed25519' && verify(null, input, key, signature);
  const [, family, bits] = /^(HS|RS|PS|ES)(256|384|512)$/.exec(alg) ?? [];
  if (family === undefined || bits === undefined) return false;
  const hash = `sha${bits}`;
  switch (key.type === 'secret' ? 'secret' : key.asymmetricKeyType) {
    case 'secret':
      return family === 'HS' && verifiesHmac(hash, Number(bits) / 8, key, input, signature);
    case 'rsa':
      if (family === 'RS') return verify(hash, input, key, signature);
      return family === 'PS' && verify(hash, input, { key, ...PSS }, signature);
    case 'ec':
      if (CURVES[alg] !== key.asymmetricKeyDetails?.namedCurve) return false;
      return verify(hash, input, { key, dsaEncoding: 'ieee-p1363' }, signature);
    default:
      return false;
  }
}

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };

function verifiesHmac(
  hash: string,
  length: number,
  key: KeyObject,
  input: Buffer,
  signature: Buffer,
): boolean {
  if ((key.symmetricKeySize ?? 0) < length || signature.length !== length) return false;
  return timingSafeEqual(createHmac(hash, key).update(input).digest(), signature);
}
