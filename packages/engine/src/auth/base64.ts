/** Base64 as Hasura's JOSE library decodes it: nothing but the alphabet, and one spelling of each value. */

/** @returns undefined for padding, other characters, and unused bits that are not zero */
export function decodeBase64url(text: string): Buffer | undefined {
  return decode(text, 'base64url');
}

/** With padding, on one line. */
export function decodeBase64(text: string): Buffer | undefined {
  return decode(text, 'base64');
}

function decode(text: string, encoding: 'base64' | 'base64url'): Buffer | undefined {
  // Node skips what it does not know.
  const bytes = Buffer.from(text, encoding);
  return bytes.toString(encoding) === text ? bytes : undefined;
}
