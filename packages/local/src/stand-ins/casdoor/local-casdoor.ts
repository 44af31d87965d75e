import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Personas } from '#personas/index.ts';
import { createEndpoint } from '#stand-ins/core/endpoint.ts';
import { createFaults } from '#stand-ins/core/faults.ts';
import { createOutbox } from '#stand-ins/core/outbox.ts';
import type { LocalProvider, StandIn } from '#stand-ins/core/provider.ts';
import { createStandInServer, listen, pathname } from '#stand-ins/core/server.ts';
import { createSigningKey, type SigningKey } from '#stand-ins/core/signing-key.ts';
import { createStateFile } from '#stand-ins/core/state-file.ts';
import { type Actions, createActions } from './actions.ts';
import { api } from './api.ts';
import { controlApi } from './control-api.ts';
import { createDirectory, type LocalDirectory, RefusedError } from './directory.ts';
import { casdoorGuide } from './guide.ts';
import { addPersonas } from './personas.ts';
import { refuse } from './replies.ts';
import { type TokenOptions, tokenHeader, tokenPayload } from './tokens.ts';
import type { CasdoorRecord, CasdoorState, CasdoorUser } from './types.ts';
import { type Attempt, createSender, type Pace, type WebhookSender } from './webhooks.ts';

export type LocalCasdoor = LocalProvider & {
  /** What it holds. Changes made here are those of which Casdoor tells nobody. */
  directory: LocalDirectory;
  /** Changes made on its pages, which its webhooks tell. */
  actions: Actions;
  /** An access token, or with `refresh` a refresh token. */
  token(user: CasdoorUser, options?: TokenOptions): Promise<string>;
  key: SigningKey;
  /** The key of another organization on the same server. */
  strangersKey(): Promise<SigningKey>;
  webhooks: WebhookSender;
  credentials: { application: string; clientId: string; clientSecret: string };
  webhookSecret: string;
  /** Holds back the records that changes cause, and gives them to the caller instead. */
  intercept<T>(change: () => T): { result: T; records: CasdoorRecord[] };
};

export type LocalCasdoorOptions = {
  /** 0 for any free one. */
  port: number;
  /** Where keys, secrets and users are kept between runs; nothing is kept without it. */
  stateFile?: string | undefined;
  /** The private part of the key to sign with, where none is kept; to make one takes a tenth of a second. */
  privateJwk?: SigningKey['privateJwk'] | undefined;
  /** Who has signed up when it starts. */
  personas?: Personas | undefined;
  pace?: Pace | undefined;
  onAttempt?: ((attempt: Attempt) => void) | undefined;
};

const APPLICATION = 'app-acme';
const ORGANIZATION = 'acme';
const CERTIFICATE = 'cert-built-in';
const HEADER = 'X-Webhook-Secret';

const stateSchema = z.object({
  clientId: z.string(),
  clientSecret: z.string(),
  webhookSecret: z.string(),
  privateJwk: z.record(z.string(), z.unknown()),
  directory: z.custom<CasdoorState>((value) => typeof value === 'object' && value !== null),
});

/**
 * A Casdoor server on this machine with one application: its key and tokens in all formats, the calls
 * of its API that the identity service makes, its webhooks with their queue, and calls in place of
 * its pages.
 */
export async function startLocalCasdoor(options: LocalCasdoorOptions): Promise<LocalCasdoor> {
  const file = createStateFile(options.stateFile, stateSchema, 'Casdoor');
  const kept = await file.read();
  const credentials = {
    application: APPLICATION,
    clientId: kept?.clientId ?? randomBytes(10).toString('hex'),
    clientSecret: kept?.clientSecret ?? randomBytes(20).toString('hex'),
  };
  const webhookSecret = kept?.webhookSecret ?? randomBytes(32).toString('hex');
  const key = await createSigningKey(CERTIFICATE, kept?.privateJwk ?? options.privateJwk);
  // Another organization's, whose administrators know its private part.
  let strangersKey: Promise<SigningKey> | undefined;
  const strangers = () => {
    strangersKey ??= createSigningKey('cert-of-another-organization');
    return strangersKey;
  };

  const endpoint = createEndpoint();
  const faults = createFaults();
  const { pace, onAttempt } = options;
  const header = { name: HEADER, value: webhookSecret };
  const webhooks = createSender({ endpoint, header, pace, faults, onAttempt });

  const directory = createDirectory(kept?.directory);
  if (kept === undefined) {
    directory.addOrganization('built-in');
    directory.addUser('built-in/admin', { isAdmin: true, email: 'admin@example.com' });
    directory.addOrganization(ORGANIZATION, { displayName: 'Acme' });
  }
  const outbox = createOutbox(webhooks.send, save);
  const actions = createActions(directory, outbox.put);
  function save(): Promise<void> {
    const { clientId, clientSecret } = credentials;
    const privateJwk = { ...key.privateJwk };
    return file.write({ clientId, clientSecret, webhookSecret, privateJwk, directory: directory.state() });
  }

  const token = (user: CasdoorUser, tokenOptions: TokenOptions = {}): Promise<string> => {
    const roles = directory.rolesOf(user);
    const payload = tokenPayload({ issuer: url, ...credentials }, { user, roles }, tokenOptions);
    return key.sign(payload, tokenHeader(CERTIFICATE, tokenOptions));
  };
  const app = createStandInServer({
    faults,
    pathOf: ({ url: path }) => (path.startsWith('/api/') ? pathname(path) : undefined),
    // Not Casdoor's own: it has neither, but what stands before it has.
    refuse: (reply, status) =>
      reply
        .code(status)
        .type('text/plain')
        .send(status === 429 ? 'Too Many Requests' : 'Internal Server Error'),
    answerError,
    control: (scope) => controlApi(scope, { directory, actions, organization: ORGANIZATION, token }),
    async told() {
      await outbox.saved();
      await webhooks.tried();
    },
  });
  // No Cache-Control with either, and every certificate of the server in the first.
  app.get('/.well-known/jwks', async () => ({ keys: [(await strangers()).publicJwk, key.publicJwk] }));
  app.get(`/.well-known/${APPLICATION}/jwks`, async () => ({ keys: [key.publicJwk] }));
  // As of an application that does not exist.
  app.get('/.well-known/:application/jwks', async () => ({
    keys: [(await strangers()).publicJwk, key.publicJwk],
  }));
  api(app, directory, credentials);
  const url = await listen(app, options.port);
  if (options.personas !== undefined) addPersonas({ directory, actions }, ORGANIZATION, options.personas);
  await outbox.save();

  return {
    name: 'casdoor',
    url,
    keysUrl: `${url}/.well-known/${APPLICATION}/jwks`,
    serviceEnvironment: {
      CASDOOR_ENDPOINT: url,
      CASDOOR_APPLICATION: APPLICATION,
      CASDOOR_CLIENT_ID: credentials.clientId,
      CASDOOR_CLIENT_SECRET: credentials.clientSecret,
      CASDOOR_WEBHOOK_SECRET: webhookSecret,
      CASDOOR_WEBHOOK_HEADER: HEADER,
      // One alone can be trusted by Hasura itself, which sees the ids and not whose they are.
      CASDOOR_ORGANIZATIONS: ORGANIZATION,
    },
    directory,
    actions,
    token,
    key,
    strangersKey: strangers,
    webhooks,
    credentials,
    webhookSecret,
    intercept(change) {
      const { result, messages: records } = outbox.intercept(change);
      return { result, records };
    },
    deliverTo: endpoint.set,
    async close() {
      faults.clear();
      await webhooks.close();
      await app.close();
      await outbox.saved();
    },
  };
}

/** Casdoor's way of telling an error. */
function answerError(reply: FastifyReply, error: unknown, text: string): FastifyReply {
  if (error instanceof RefusedError || error instanceof z.ZodError) return refuse(reply, text);
  return reply.code(500).send({ status: 'error', msg: text });
}

export const standIn: StandIn<LocalCasdoor> = {
  guide: casdoorGuide,
  start: ({ port, stateDirectory, personas, onAttempt }) =>
    startLocalCasdoor({
      port,
      stateFile: stateDirectory === undefined ? undefined : join(stateDirectory, 'casdoor.json'),
      personas,
      onAttempt,
    }),
};
