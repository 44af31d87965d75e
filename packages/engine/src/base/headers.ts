/** A request's headers as the client wrote them: names keep their case, as the POST hook and actions forward them. */

export type HeaderList = readonly (readonly [name: string, value: string])[];

/** Headers of the client that are about this server alone; not forwarded to hooks and actions. */
export const IGNORED_CLIENT_HEADERS: readonly string[] = [
  'content-length',
  'content-md5',
  'user-agent',
  'host',
  'origin',
  'referer',
  'accept',
  'accept-encoding',
  'accept-language',
  'accept-datetime',
  'cache-control',
  'connection',
  'dnt',
  'content-type',
];

/** From Node's flat list of names and values. */
export function headerList(raw: readonly string[]): HeaderList {
  const list: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) list.push([raw[index] ?? '', raw[index + 1] ?? '']);
  return list;
}

/** The first header of that name, in any case. */
export function findHeader(headers: HeaderList, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return headers.find(([key]) => key.toLowerCase() === wanted)?.[1];
}

/** The value of one cookie, from any number of `Cookie` headers. */
export function findCookie(headers: HeaderList, name: string): string | undefined {
  for (const [key, value] of headers) {
    if (key.toLowerCase() !== 'cookie') continue;
    for (const part of value.split(';')) {
      const equals = part.indexOf('=');
      if (equals >= 0 && part.slice(0, equals).trim() === name)
        return decodeCookie(part.slice(equals + 1).trim());
    }
  }
  return undefined;
}

function decodeCookie(value: string): string {
  const bare = value.startsWith('"') && value.endsWith('"') && value.length > 1 ? value.slice(1, -1) : value;
  try {
    return decodeURIComponent(bare);
  } catch {
    return bare;
  }
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
