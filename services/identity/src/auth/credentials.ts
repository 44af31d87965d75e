import { refused } from '#providers/jwt.ts';

/** A request's headers as they came: in any case, and the same name perhaps twice. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** From Node's flat list of names and values, which alone shows a header that came twice. */
export function headerList(raw: readonly string[]): HeaderList {
  const list: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) list.push([raw[index] ?? '', raw[index + 1] ?? '']);
  return list;
}

export interface Credentials {
  /** Undefined where the request has no Authorization header. */
  readonly token: string | undefined;
  /** The role that the client asks for; undefined for its default one. */
  readonly role: string | undefined;
}

/** Longer than any provider's tokens, which travel in a header. */
const MAX_TOKEN_LENGTH = 32 * 1024;

/**
 * Reads who a client says they are: from `Authorization: Bearer` and from nowhere else, neither cookies
 * nor other headers.
 *
 * @throws LatchkeyError `token-invalid` for anything else in that header, or where a header comes twice:
 *   which one counts must not be a matter of who reads them
 */
export function readCredentials(headers: HeaderList): Credentials {
  const authorization = singleHeader(headers, 'authorization');
  const role = singleHeader(headers, 'x-hasura-role');
  return {
    token: authorization === undefined ? undefined : bearerToken(authorization),
    // As Hasura reads an empty one.
    role: role === '' ? undefined : role,
  };
}

function bearerToken(authorization: string): string {
  const token = /^Bearer +([\w-]+\.[\w-]+\.[\w-]*)$/i.exec(authorization.trim())?.[1];
  if (token === undefined || token.length > MAX_TOKEN_LENGTH) {
    throw refused('the Authorization header is not Bearer and a JWT');
  }
  return token;
}

function singleHeader(headers: HeaderList, name: string): string | undefined {
  const values = headers.flatMap(([key, value]) => (key.toLowerCase() === name ? [value] : []));
  if (values.length > 1) throw refused(`the header ${name} comes ${values.length} times`);
  return values[0];
}
