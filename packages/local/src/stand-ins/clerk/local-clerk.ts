import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import Fastify from 'fastify';
import { z } from 'zod';
import { LOOPBACK } from '#processes/ports.ts';
import { answerThisMachineOnly } from '#stand-ins/core/loopback-only.ts';
import type { LocalProvider, StandIn } from '#stand-ins/core/provider.ts';
import { createSigningKey, type SigningKey } from '#stand-ins/core/signing-key.ts';
import { createStateFile } from '#stand-ins/core/state-file.ts';
import { backendApi, clerkError, json } from './backend-api.ts';
import { controlApi } from './control-api.ts';
import { createDirectory, type KeptDirectory, type LocalDirectory } from './directory.ts';
import { KeptOutError, NotFoundError, TakenError } from './errors.ts';
import { clerkId } from './ids.ts';
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
  stateFile?: string;
  /** The waits between attempts to deliver, in milliseconds. */
  scheduleMs?: readonly number[];
  onAttempt?: (attempt: Attempt) => void;
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
  let endpoint: string | undefined;
  const webhooks = createSender({
    endpoint: () => endpoint,
    secret: webhookSecret,
    ...(options.scheduleMs === undefined ? {} : { scheduleMs: options.scheduleMs }),
    ...(options.onAttempt === undefined ? {} : { onAttempt: options.onAttempt }),
  });

  const message = (type: string, data: unknown): Message =>
    newMessage(type, envelope(type, data, instanceId, now()));
  let held: Message[] | undefined;
  let saving = Promise.resolve();
  const directory = createDirectory(
    kept?.directory,
    (type, data) => {
      const announced = message(type, data);
      if (held === undefined) void webhooks.send(announced);
      else held.push(announced);
      saving = saving.then(save);
    },
    now,
  );
  function save(): Promise<void> {
    const privateJwk = { ...key.privateJwk };
    return file.write({ instanceId, secretKey, webhookSecret, privateJwk, directory: directory.state() });
  }

  const app = Fastify({ forceCloseConnections: true });
  answerThisMachineOnly(app);
  // Clerk's client calls DELETE with a type but no body, which Fastify's own parser refuses.
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_request: unknown, body: string) => (body === '' ? undefined : JSON.parse(body)),
  );
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (_request: unknown, body: string) => Object.fromEntries(new URLSearchParams(body)),
  );
  app.get('/.well-known/jwks.json', async (_request, reply) =>
    json(reply.header('cache-control', 'public, max-age=60'), { keys: [key.publicJwk] }),
  );
  const token = (userId: string, tokenOptions: TokenOptions = {}): Promise<string> =>
    key.sign(templatePayload(url, userId, tokenOptions));
  backendApi(app, directory, { secretKey, instanceId });
  void app.register(async (scope) => controlApi(scope, { directory, token, told: webhooks.tried }));
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof NotFoundError)
      return json(reply, clerkError('resource_not_found', error.message), 404);
    if (error instanceof TakenError)
      return json(reply, clerkError('form_identifier_exists', error.message), 422);
    if (error instanceof KeptOutError) return json(reply, clerkError(error.code, error.message), 403);
    if (error instanceof z.ZodError) {
      const issues = error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
      return json(reply, clerkError('form_param_invalid', issues.join('; ')), 422);
    }
    const text = error instanceof Error ? error.message : String(error);
    return json(reply, clerkError('internal_clerk_error', text), 500);
  });
  const url = await app.listen({ host: LOOPBACK, port: options.port });
  await save();

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
    intercept(change) {
      const messages: Message[] = [];
      held = messages;
      try {
        return { result: change(), messages };
      } finally {
        held = undefined;
      }
    },
    deliverTo(wanted) {
      endpoint = wanted;
    },
    async close() {
      await webhooks.close();
      await app.close();
      await saving;
    },
  };
}

export const standIn: StandIn<LocalClerk> = {
  start: ({ port, stateDirectory, onAttempt }) =>
    startLocalClerk({
      port,
      ...(stateDirectory !== undefined && { stateFile: join(stateDirectory, 'clerk.json') }),
      onAttempt: ({ message, ...attempt }) => onAttempt?.({ type: message.type, ...attempt }),
    }),
};

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
