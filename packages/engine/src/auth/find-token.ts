/** Where a request carries its token. */
import { EngineError } from '#base/errors.ts';
import { cookieValues, type HeaderList, isSameHeader } from '#base/headers.ts';
import { invalidJwt } from './jws.ts';
import { unverifiedIssuer } from './jwt.ts';
import type { JwtConfig, JwtHeader } from './jwt-config.ts';

/**
 * The one token that the configuration speaks of. Of several those of other issuers do not count.
 * @returns undefined where there is none
 * @throws {EngineError} `invalid-headers` for several, and for an `Authorization` that is not `Bearer`
 */
export function findToken(
  { header, issuer }: Pick<JwtConfig, 'header' | 'issuer'>,
  headers: HeaderList,
): string | undefined {
  const [token, ...more] = tokens(header, headers);
  if (token === undefined || more.length === 0) return token;
  const mine = [token, ...more].filter((one) => {
    const from = issuer === undefined ? undefined : unverifiedIssuer(one);
    return from === undefined || from === issuer;
  });
  if (mine.length === 0) throw invalidJwt('JWTNotInIssuer');
  if (mine.length > 1) throw new EngineError('invalid-headers', 'Could not verify JWT: Multiple JWTs found');
  return mine[0];
}

function tokens(header: JwtHeader, headers: HeaderList): string[] {
  if (header.type === 'Cookie') return cookieValues(headers, header.name);
  if (header.type === 'CustomHeader') {
    // These two are read in their own ways alone.
    return ['authorization', 'cookie'].includes(header.name) ? [] : valuesOf(headers, header.name);
  }
  return valuesOf(headers, 'authorization').map((value) => {
    const token = /^[\t-\r ]*Bearer[\t-\r ]+([^\t-\r ]+)[\t-\r ]*$/.exec(value)?.[1];
    if (token === undefined) throw new EngineError('invalid-headers', 'Malformed Authorization header');
    return token;
  });
}

function valuesOf(headers: HeaderList, name: string): string[] {
  return headers.filter(([key]) => isSameHeader(key, name)).map(([, value]) => value);
}
