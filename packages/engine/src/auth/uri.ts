/** URIs by RFC 3986, as Hasura's JOSE library reads them: `URL` takes much more. */
import { isIPv6 } from 'node:net';

const PERCENT = '%[0-9A-Fa-f]{2}';
const PLAIN = "A-Za-z0-9._~!$&'()*+,;=\\-";
const PCHAR = `(?:[${PLAIN}:@]|${PERCENT})`;
const USER = `(?:(?:[${PLAIN}:]|${PERCENT})*@)?`;
const HOST = `(?:\\[([0-9A-Fa-f:.]+)\\]|(?:[${PLAIN}]|${PERCENT}){0,255})`;
const PATH = `(?://${USER}${HOST}(?::\\d*)?(?:/${PCHAR}*)*|/(?:${PCHAR}+(?:/${PCHAR}*)*)?|${PCHAR}+(?:/${PCHAR}*)*|)`;
const REST = `(?:[/?]|${PCHAR})*`;
const URI = new RegExp(`^[A-Za-z][A-Za-z0-9+.-]*:${PATH}(?:\\?${REST})?(?:#${REST})?$`);

/** Whether it is a URI with a scheme. */
export function isUri(text: string): boolean {
  const match = URI.exec(text);
  if (match === null) return false;
  const [, address] = match;
  return address === undefined || isIPv6(address);
}

/** `StringOrURI` of RFC 7519: with a colon in it, it must be a URI. */
export function isStringOrUri(text: string): boolean {
  return !text.includes(':') || isUri(text);
}

/** How Hasura shows a URI that it has read: a password in it is hidden. */
export function showStringOrUri(text: string): string {
  return text.replace(/^([A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#@:]*):[^/?#@]+@/, '$1:...@');
}
