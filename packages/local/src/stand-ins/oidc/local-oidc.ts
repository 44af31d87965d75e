import { join } from 'node:path';
import type { FastifyReply } from 'fastify';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Personas } from '#personas/index.ts';
import { createFaults } from '#stand-ins/core/faults.ts';
import type { LocalProvider, StandIn } from '#stand-ins/core/provider.ts';
import { createStandInServer, listen, pathname } from '#stand-ins/core/server.ts';
import { createSigningKey, type SigningKey } from '#stand-ins/core/signing-key.ts';
import { createStateFile } from '#stand-ins/core/state-file.ts';
import { controlApi } from './control-api.ts';
import {
  createDirectory,
  type LocalDirectory,
  OIDC_USER,
  type OidcUser,
  profileOf,
  RefusedError,
} from './directory.ts';
import { oidcGuide } from './guide.ts';

export interface LocalOidc extends LocalProvider {
  readonly directory: LocalDirectory;
  readonly key: SigningKey;
  /** An access token of a user. @param options.claims changes to what it says (undefined: left out) */
  token(user: OidcUser, options?: TokenOptions): Promise<string>;
}

export interface TokenOptions {
  readonly lifetimeSeconds?: number | undefined;
  readonly claims?: Readonly<Record<string, unknown>>;
}

export interface LocalOidcOptions {
  /** 0 for any free one. */
  readonly port: number;
  /** Where keys and users are kept; nothing is without it. */
  readonly stateFile?: string | undefined;
  readonly personas?: Personas | undefined;
}

const AUDIENCE = 'latchkey';
const CLIENT = 'local-app';
const LIFETIME_SECONDS = 300;
const STATE = z.object({
  privateJwk: z.record(z.string(), z.unknown()),
  users: z.array(OIDC_USER),
});

/** An issuer of OpenID Connect on this machine: discovery, keys, userinfo, and calls in place of its pages. */
export async function startLocalOidc({ port, stateFile, personas }: LocalOidcOptions): Promise<LocalOidc> {
  const file = createStateFile(stateFile, STATE, 'OIDC issuer');
  const kept = await file.read();
  const key = await createSigningKey('local-oidc', kept?.privateJwk);
  const keySet = { keys: [key.publicJwk] };
  const findKey = createLocalJWKSet(keySet);
  const directory = createDirectory(kept?.users);
  const save = () => file.write({ privateJwk: { ...key.privateJwk }, users: [...directory.users()] });
  const faults = createFaults();

  async function token(user: OidcUser, options: TokenOptions = {}): Promise<string> {
    const iat = Math.floor(Date.now() / 1000);
    const exp = iat + (options.lifetimeSeconds ?? LIFETIME_SECONDS);
    const own = { iss: url, sub: user.id, aud: AUDIENCE, client_id: CLIENT, iat, exp, scope: 'openid' };
    return key.sign({ ...user.claims, ...own, ...options.claims }, { kid: 'local-oidc', typ: 'at+jwt' });
  }

  const app = createStandInServer({
    faults,
    pathOf: ({ url: path }) => (/^\/(\.well-known|keys|userinfo)/.test(path) ? pathname(path) : undefined),
    refuse: (reply, status) => reply.code(status).send({ error: 'temporarily_unavailable' }),
    answerError,
    control: (scope) => controlApi(scope, { directory, token, save }),
    told: () => Promise.resolve(),
  });
  app.get('/.well-known/openid-configuration', async () => ({
    issuer: url,
    jwks_uri: `${url}/keys`,
    userinfo_endpoint: `${url}/userinfo`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  }));
  app.get('/keys', async () => keySet);
  app.get('/userinfo', async ({ headers }, reply) => {
    const [, text = ''] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? [];
    const verified = await jwtVerify(text, findKey, { issuer: url }).catch(() => undefined);
    const user = directory.findUser(verified?.payload.sub ?? '');
    if (user !== undefined) return profileOf(user);
    return reply.code(401).header('www-authenticate', 'Bearer error="invalid_token"').send({});
  });
  const url = await listen(app, port);
  for (const { email, first_name, last_name, verified, metadata } of Object.values(personas?.people ?? {})) {
    if (directory.findUser(email) !== undefined) continue;
    directory.signUp({
      email,
      email_verified: verified,
      claims: metadata,
      ...(first_name !== undefined && { given_name: first_name }),
      ...(last_name !== undefined && { family_name: last_name }),
    });
  }
  await save();

  return {
    name: 'oidc',
    url,
    keysUrl: `${url}/keys`,
    serviceEnvironment: { OIDC_ISSUER: url, OIDC_AUDIENCE: AUDIENCE },
    directory,
    key,
    token,
    // There are none.
    deliverTo() {},
    async close() {
      faults.clear();
      await app.close();
    },
  };
}

/** As OAuth tells an error. */
function answerError(reply: FastifyReply, error: unknown, text: string): FastifyReply {
  const isCallers = error instanceof RefusedError || error instanceof z.ZodError;
  return reply
    .code(isCallers ? 400 : 500)
    .send({ error: isCallers ? 'invalid_request' : 'server_error', error_description: text });
}

export const standIn: StandIn<LocalOidc> = {
  guide: oidcGuide,
  start: ({ port, stateDirectory, personas }) =>
    startLocalOidc({
      port,
      stateFile: stateDirectory === undefined ? undefined : join(stateDirectory, 'oidc.json'),
      personas,
    }),
};
