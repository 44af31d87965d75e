import {
  type CryptoKey,
  exportJWK,
  type GenerateKeyPairResult,
  generateKeyPair,
  type JWK,
  type JWTPayload,
  SignJWT,
} from 'jose';
import { type LocalServer, serve } from './http.ts';

export const AUDIENCE = 'https://api.example.com';
export const SUBJECT = '7c9e6679-7425-40de-944b-e07fc1f90ae7';

/** An issuer of OpenID Connect that publishes a discovery document, keys and profiles. */
export interface OidcIssuer {
  readonly issuer: string;
  readonly keys: GenerateKeyPairResult;
  /** What it publishes; tests change it. */
  jwks: JWK[];
  /** Changes to the discovery document (undefined: left out). */
  discovery: Record<string, unknown>;
  /** What userinfo answers with, and the Authorization headers that it got. */
  userinfo: { status: number; body: unknown };
  readonly authorizations: (string | undefined)[];
  /** The paths that were asked for. */
  readonly asked: string[];
  /** Answers everything with this status, where it is not 200. */
  status: number;
  /** A good access token, with some of its claims and header parameters changed (undefined: left out). */
  sign(
    changes?: Record<string, unknown>,
    header?: Record<string, unknown>,
    key?: CryptoKey | Uint8Array,
  ): Promise<string>;
  close(): Promise<void>;
}

/** @param path of its issuer, such as `/realms/app` or `/` */
export async function startOidcIssuer(path = '/realms/app'): Promise<OidcIssuer> {
  const keys = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'key-1', use: 'sig', alg: 'RS256' };
  let server: LocalServer | undefined;
  const made: Omit<OidcIssuer, 'issuer'> & { issuer: string } = {
    issuer: '',
    keys,
    jwks: [jwk],
    discovery: {},
    userinfo: { status: 401, body: {} },
    authorizations: [],
    asked: [],
    status: 200,
    sign(changes = {}, header = {}, key = keys.privateKey) {
      const now = Math.floor(Date.now() / 1000);
      const claims: JWTPayload = {
        iss: made.issuer,
        aud: AUDIENCE,
        sub: SUBJECT,
        azp: 'spa',
        iat: now,
        exp: now + 300,
        ...changes,
      };
      return new SignJWT(JSON.parse(JSON.stringify(claims)))
        .setProtectedHeader({ alg: 'RS256', kid: 'key-1', typ: 'JWT', ...header })
        .sign(key);
    },
    close: async () => server?.close(),
  };
  const root = path.replace(/\/$/, '');
  server = await serve(({ url = '', headers }, response) => {
    made.asked.push(url);
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (made.status !== 200) return answer(made.status, {});
    if (url === `${root}/.well-known/openid-configuration`) {
      const { url: at = '' } = server ?? {};
      return answer(200, {
        issuer: made.issuer,
        jwks_uri: `${at}${root}/keys`,
        userinfo_endpoint: `${at}${root}/userinfo`,
        ...made.discovery,
      });
    }
    if (url === `${root}/keys`) return answer(200, { keys: made.jwks });
    if (url !== `${root}/userinfo`) return answer(404, {});
    made.authorizations.push(headers.authorization);
    return answer(made.userinfo.status, made.userinfo.body);
  });
  made.issuer = `${server.url}${path}`;
  return made;
}
