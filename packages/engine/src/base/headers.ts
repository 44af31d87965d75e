/** A request's headers as the client wrote them: names keep their case, as the POST hook and actions forward them. */

export type HeaderList = readonly (readonly [name: string, value: string])[];

/** Headers of the client that are about this server alone, as Hasura spells them in the metadata of actions. */
export const COMMON_CLIENT_HEADERS: readonly string[] = [
  'Content-Length',
  'Content-MD5',
  'User-Agent',
  'Host',
  'Origin',
  'Referer',
  'Accept',
  'Accept-Encoding',
  'Accept-Language',
  'Accept-Datetime',
  'Cache-Control',
  'Connection',
  'DNT',
  'Content-Type',
];
/** In lower case: not forwarded to hooks and actions. */
export const IGNORED_CLIENT_HEADERS: readonly string[] = COMMON_CLIENT_HEADERS.map((name) =>
  name.toLowerCase(),
);

/** From Node's flat list of names and values. */
export function headerList(raw: readonly string[]): HeaderList {
  const list: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) list.push([raw[index] ?? '', raw[index + 1] ?? '']);
  return list;
}

/** In any case of ASCII: over WebSocket a name may hold letters that become others in lower case, or in upper case. */
export function isSameHeader(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  return a.toLowerCase() === b.toLowerCase() && a.toUpperCase() === b.toUpperCase();
}

/** The first header of that name, in any case. */
export function findHeader(headers: HeaderList, name: string): string | undefined {
  return headers.find(([key]) => isSameHeader(key, name))?.[1];
}

/** Every value of one cookie, as it stands there: Hasura neither unquotes nor decodes it. */
export function cookieValues(headers: HeaderList, name: string): string[] {
  return headers
    .filter(([key]) => isSameHeader(key, 'cookie'))
    .flatMap(([, value]) => value.split(';'))
    .flatMap((part) => {
      const [key = '', ...value] = part.replace(/^ +/, '').split('=');
      return key === name ? [value.join('=')] : [];
    });
}

/** The `x-hasura-*` headers, names lower-cased. */
export function sessionHeaders(headers: HeaderList): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    if (key.startsWith('x-hasura-')) variables[key] = value;
  }
  return variables;
}
