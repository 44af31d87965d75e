/** X.509 certificates in keys and token headers (`x5c`). */
import { type KeyObject, X509Certificate } from 'node:crypto';
import { decodeBase64 } from './base64.ts';

/** @param text base64 of one DER certificate, and nothing behind it */
export function certificateKey(text: string): KeyObject | undefined {
  const der = decodeBase64(text);
  if (der === undefined) return undefined;
  try {
    const certificate = new X509Certificate(der);
    return certificate.raw.equals(der) ? certificate.publicKey : undefined;
  } catch {
    return undefined;
  }
}
