import { SECRET as CLERK_SECRET } from '@latchkey/tests/support/clerk';
import { POOL } from '@latchkey/tests/support/cognito';
import { serve } from '@latchkey/tests/support/http';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { z } from 'zod';
import { createCasdoor } from '#providers/casdoor/index.ts';
import { createClerk } from '#providers/clerk/index.ts';
import { createCognito } from '#providers/cognito/index.ts';
import { createOidc } from '#providers/oidc/index.ts';
import type { Provider } from '#providers/provider.ts';
import { NOTHING_STORED } from './casdoor.ts';
import { CONFIG as COGNITO } from './cognito.ts';

export const SUBJECT = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
/** The organization whose users the tokens of Casdoor are of. */
export const CASDOOR_OWNER = 'acme';
const CASDOOR_CLIENT = '0123456789abcdef0123';

/** Providers that do no more than publish keys and issue tokens. */
export interface Issuers {
  readonly providers: ReadonlyMap<Provider['name'], Provider>;
  /** The address that all of them are at. */
  readonly url: string;
  /** A good token, with some of its claims changed (undefined: left out). */
  token(name: Provider['name'], changes?: JWTPayload): Promise<string>;
  /** How often the keys were asked for so far. */
  asked(): number;
  /** Lets them answer requests for keys with this status from now on. */
  answerWith(status: number): void;
  close(): Promise<void>;
}

/** @param allowedRoles as the providers are configured with */
export async function startIssuers(allowedRoles: readonly string[] = []): Promise<Issuers> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'key-1', use: 'sig', alg: 'RS256' };
  let asked = 0;
  let status = 200;
  const { url, close } = await serve((_request, response) => {
    asked += 1;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] }));
  });
  const clerk = createClerk(
    {
      webhookSecrets: [CLERK_SECRET],
      publishableKey: undefined,
      frontendApiUrl: url,
      secretKey: undefined,
      apiUrl: url,
      authorizedParties: [],
      instanceId: '',
    },
    allowedRoles,
  );
  const casdoor = createCasdoor(
    {
      endpoint: url,
      issuer: `${url}/casdoor`,
      application: 'app-acme',
      clientId: CASDOOR_CLIENT,
      clientSecret: 'not used here',
      audience: [CASDOOR_CLIENT],
      webhookSecrets: ['sixteen letters or more'],
      webhookHeader: 'x-webhook-secret',
      organizations: [],
      properties: [],
      serviceUrl: 'http://identity:8081',
    },
    NOTHING_STORED,
    allowedRoles,
  );
  const cognito = createCognito({ ...COGNITO, endpoint: url }, NOTHING_STORED, allowedRoles);
  const oidc = createOidc(
    { issuer: `${url}/oidc`, audience: ['api'], keysUrl: `${url}/keys`, serviceUrl: 'http://identity:8081' },
    { allowedRoles, claims: [] },
  );
  const claims: Record<Provider['name'], JWTPayload> = {
    clerk: { iss: url },
    casdoor: {
      iss: `${url}/casdoor`,
      aud: [CASDOOR_CLIENT],
      azp: CASDOOR_CLIENT,
      tokenType: 'access-token',
      owner: CASDOOR_OWNER,
    },
    cognito: { iss: `${url}/${POOL}`, aud: COGNITO.clientIds[0] ?? '', token_use: 'id' },
    oidc: { iss: `${url}/oidc`, aud: 'api', iat: Math.floor(Date.now() / 1000) },
  };
  return {
    providers: new Map(
      [clerk, casdoor, cognito, oidc].map((provider: Provider) => [provider.name, provider]),
    ),
    url,
    token(name, changes = {}) {
      const exp = Math.floor(Date.now() / 1000) + 600;
      const payload = z
        .record(z.string(), z.unknown())
        .parse({ sub: SUBJECT, exp, ...claims[name], ...changes });
      return new SignJWT(payload)
        .setProtectedHeader({ alg: 'RS256', kid: 'key-1', typ: 'JWT' })
        .sign(privateKey);
    },
    asked: () => asked,
    answerWith: (wanted) => {
      status = wanted;
    },
    close,
  };
}
