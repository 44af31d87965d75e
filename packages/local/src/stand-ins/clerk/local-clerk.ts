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
import { backendApi, clerkError, json } from './backend-api.ts';
import { controlApi } from './control-api.ts';
import { createDirectory, type KeptDirectory, type LocalDirectory } from './directory.ts';
import { KeptOutError, NotFoundError, TakenError } from './errors.ts';
import { clerkGuide } from './guide.ts';
import { clerkId } from './ids.ts';
import { addPersonas } from './personas.ts';
import { type TokenOptions, templatePayload } from './tokens.ts';
import type { ClerkEvent } from './types.ts';
import { type Attempt, createSender, type Message, newMessage, type WebhookSender } from './webhooks.ts';

export type LocalClerk = LocalProvider & {
  directory: LocalDirectory;
  /** `ins_…`, in each of its events. */
  instanceId: string;
  /** A token of the JWT template named hasura. */
  token(userId: string, options?: TokenOptions): Promise<string>;
  key: SigningKey;
  webhooks: WebhookSender;
  /** The envelope Clerk puts around the data of an event, as a message not yet sent. */
  message(type: string, data: unknown): Message;
  /** Holds back the messages that changes cause, and gives them to the caller instead. */
  intercept<T>(change: () => T): { result: T; messages: Message[] };
};

export type LocalClerkOptions = {
  /** 0 for any free one. */
  port: number;
  /** Where keys, secrets and users are kept between runs; nothing is kept without it. */
  stateFile?: string | undefined;
  /** Who has signed up when it starts. */
  personas?: Personas | undefined;
  /** The waits between attempts to deliver, in milliseconds. */
  scheduleMs?: readonly number[] | undefined;
  onAttempt?: ((attempt: Attempt) => void) | undefined;
};

const stateSchema = z.object({
  instanceId: z.string(),
  secretKey: z.string(),
  webhookSecret: z.string(),
  privateJwk: z.record(z.string(), z.unknown()),
  directory: z.custom<KeptDirectory>((value) => typeof value === 'object' && value !== null),
});

/**
 * A Clerk application on this machine: its keys and tokens, the calls of its Backend API that the
 * identity service makes, its webhooks, signed and retried as Svix does, and calls in place of its
 * dashboard and its sign-up form.
 */
export async function startLocalClerk(options: LocalClerkOptions): Promise<LocalClerk> {
  const file = createStateFile(options.stateFile, stateSchema, 'Clerk');
  const kept = await file.read();
  const instanceId = kept?.instanceId ?? clerkId('ins');
  const secretKey = kept?.secretKey ?? `sk_test_${randomBytes(32).toString('base64url')}`;
  const webhookSecret = kept?.webhookSecret ?? `whsec_${randomBytes(24).toString('base64')}`;
  const key = await createSigningKey(instanceId, kept?.privateJwk);

  const now = strictClock();
  const endpoint = createEndpoint();
  const faults = createFaults();
  const { scheduleMs, onAttempt } = options;
  const webhooks = createSender({ endpoint, secret: webhookSecret, scheduleMs, faults, onAttempt });

  const message = (type: string, data: unknown): Message =>
    newMessage(type, envelope(type, data, instanceId, now()));
  const outbox = createOutbox(webhooks.send, save);
  const directory = createDirectory(kept?.directory, (type, data) => outbox.put(message(type, data)), now);
  function save(): Promise<void> {
    const privateJwk = { ...key.privateJwk };
    return file.write({ instanceId, secretKey, webhookSecret, privateJwk, directory: directory.state() });
  }

  const token = (userId: string, tokenOptions: TokenOptions = {}): Promise<string> =>
    key.sign(templatePayload(url, userId, tokenOptions));
  const app = createStandInServer({
    faults,
    pathOf: ({ url: path }) => (path.startsWith('/v1/') ? pathname(path) : undefined),
    refuse: (reply, status) =>
      status === 429
        ? json(reply, clerkError('too_many_requests', 'Too many requests. Please try again later.'), 429)
        : json(reply, clerkError('internal_clerk_error', 'Oops, an unexpected error occurred.'), 500),
    answerError,
    control: (scope) => controlApi(scope, { directory, token }),
    async told() {
      await outbox.saved();
      await webhooks.tried();
    },
  });
  app.get('/.well-known/jwks.json', async (_request, reply) =>
    json(reply.header('cache-control', 'public, max-age=60'), { keys: [key.publicJwk] }),
  );
  backendApi(app, directory, { secretKey, instanceId });
  const url = await listen(app, options.port);
  if (options.personas !== undefined) addPersonas(directory, options.personas);
  await outbox.save();

  return {
    name: 'clerk',
    url,
    keysUrl: `${url}/.well-known/jwks.json`,
    serviceEnvironment: {
      CLERK_WEBHOOK_SECRET: webhookSecret,
      CLERK_SECRET_KEY: secretKey,
      CLERK_FRONTEND_API_URL: url,
      CLERK_API_URL: url,
    },
    directory,
    instanceId,
    token,
    key,
    webhooks,
    message,
    intercept: outbox.intercept,
    deliverTo: endpoint.set,
    async close() {
      faults.clear();
      await webhooks.close();
      await app.close();
      await outbox.saved();
    },
  };
}

export const standIn: StandIn<LocalClerk> = {
  guide: clerkGuide,
  start: ({ port, stateDirectory, personas, onAttempt }) =>
    startLocalClerk({
      port,
      stateFile: stateDirectory === undefined ? undefined : join(stateDirectory, 'clerk.json'),
      personas,
      onAttempt,
    }),
};

/** Clerk's way of telling an error. */
function answerError(reply: FastifyReply, error: unknown, text: string): FastifyReply {
  if (error instanceof NotFoundError) return json(reply, clerkError('resource_not_found', text), 404);
  if (error instanceof TakenError) return json(reply, clerkError('form_identifier_exists', text), 422);
  if (error instanceof KeptOutError) return json(reply, clerkError(error.code, text), 403);
  if (error instanceof z.ZodError) return json(reply, clerkError('form_param_invalid', text), 422);
  return json(reply, clerkError('internal_clerk_error', text), 500);
}

function envelope(type: string, data: unknown, instanceId: string, timestamp: number): ClerkEvent {
  return {
    data,
    event_attributes: { http_request: { client_ip: '203.0.113.10', user_agent: 'Mozilla/5.0 (local)' } },
    instance_id: instanceId,
    object: 'event',
    timestamp,
    type,
  };
}

/** Two changes within one millisecond still have an order. */
function strictClock(): () => number {
  let last = 0;
  return () => {
    last = Math.max(Date.now(), last + 1);
    return last;
  };
}
