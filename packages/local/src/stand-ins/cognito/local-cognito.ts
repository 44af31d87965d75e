import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { buildTriggers, triggerFiles } from '@latchkey/cognito-triggers/build';
import { z } from 'zod';
import { PROJECT_ROOT } from '#environment.ts';
import type { Personas } from '#personas/index.ts';
import { freePort, LOOPBACK } from '#processes/ports.ts';
import { createEndpoint } from '#stand-ins/core/endpoint.ts';
import { createFaults } from '#stand-ins/core/faults.ts';
import { makePrivateFolder } from '#stand-ins/core/private-files.ts';
import type { LocalProvider, StandIn, StandInAttempt } from '#stand-ins/core/provider.ts';
import type { SigningKey } from '#stand-ins/core/signing-key.ts';
import { createCall } from './call.ts';
import { CONFIRMATION_CODE, startCognitoProcess } from './cognito-process.ts';
import { controlApi } from './control-api.ts';
import { createEventQueue } from './event-queue.ts';
import { startFront } from './front.ts';
import { withGroups } from './groups.ts';
import { cognitoGuide } from './guide.ts';
import { type LocalLambda, startLocalLambda } from './lambda.ts';
import { addPersonas } from './personas.ts';
import { keptPool, type Pool } from './pool.ts';
import { keptSigningKey } from './signing-key.ts';
import { startWebhookRelay } from './webhook-relay.ts';

export type LocalCognito = LocalProvider & {
  userPoolId: string;
  clientId: string;
  /** With which anything that Cognito does can be done: sign up, sign in, delete, … */
  client: CognitoIdentityProviderClient;
  /** The code with which every sign-up is confirmed here. */
  confirmationCode: string;
  lambda: LocalLambda;
  key: SigningKey;
  /** Waits until all events so far have been delivered or given up. */
  settled(): Promise<void>;
};

export type LocalCognitoOptions = {
  /** 0 for any free one. */
  port: number;
  /** Where users and secrets are kept between runs; thrown away at the end without it. */
  directory?: string | undefined;
  /** Who has signed up when it starts. */
  personas?: Personas | undefined;
  /** More settings of the Lambda functions, such as LATCHKEY_ALLOWED_ROLES. */
  functionEnvironment?: Readonly<Record<string, string>>;
  onLine?: ((line: string) => void) | undefined;
  /** Called for each attempt of a function to deliver a webhook. */
  onAttempt?: ((attempt: StandInAttempt) => void) | undefined;
};

/** Everybody's password here. */
const PASSWORD = 'Passw0rd!';

const RULE = z.object({ detail: z.object({ eventName: z.array(z.string()) }) });

/**
 * A Cognito user pool on this machine: npm's cognito-local, with the project's own Lambda functions
 * bundled and attached as they are at AWS, and EventBridge's rule played out on its API.
 */
export async function startLocalCognito(options: LocalCognitoOptions): Promise<LocalCognito> {
  const { onLine, functionEnvironment = {} } = options;
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'latchkey-cognito-')));
  await mkdir(join(directory, '.cognito'), { recursive: true });
  await makePrivateFolder(directory);
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  if (options.directory === undefined) closers.push(() => rm(directory, { recursive: true, force: true }));

  try {
    const webhookSecret = await keptSecret(directory);
    const key = await keptSigningKey(directory);
    const endpoint = createEndpoint();
    const faults = createFaults();
    const rule: unknown = JSON.parse(
      await readFile(join(PROJECT_ROOT, 'deploy', 'cognito', 'event-rule.json'), 'utf8'),
    );

    const port = await freePort();
    const behind = (): string => `http://${LOOPBACK}:${port}`;
    const call = createCall(behind);

    const functions = join(directory, 'functions');
    // Nobody invokes them before there is a pool.
    const building = buildTriggers(functions);
    const built = building.catch(() => {});
    closers.push(() => built);
    const lambda = await startLocalLambda({
      functions: triggerFiles(functions),
      prepare: withGroups(call),
      ...(onLine !== undefined && { onLine }),
    });
    closers.push(() => lambda.close());
    const relay = await startWebhookRelay({ endpoint, faults, onAttempt: options.onAttempt });
    closers.push(() => relay.close());
    const events = createEventQueue(lambda, endpoint, onLine);

    let pool: Pool | undefined;
    const front = await startFront({
      port: options.port,
      behind,
      call,
      watched: new Set(RULE.parse(rule).detail.eventName),
      onEvent: (event) => void events.send(event),
      faults,
      control: (scope) =>
        controlApi(scope, () => {
          if (pool === undefined) throw new Error('The pool is not there yet: try again.');
          return pool;
        }),
      told: events.tried,
    });
    closers.push(() => front.close());
    const child = await startCognitoProcess({
      directory,
      port,
      issuer: front.url,
      lambdaUrl: lambda.url,
      onLine,
    });
    closers.push(() => child.stop());

    const client = new CognitoIdentityProviderClient({
      endpoint: front.url,
      region: 'local',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    });
    closers.push(async () => client.destroy());
    closers.push(async () => {
      faults.clear();
      await events.close();
    });

    const { userPoolId, clientId } = await keptPool(client);
    await building;
    const passwords = new Map(
      Object.values(options.personas?.people ?? {}).map(({ email, password }) => [email, password]),
    );
    pool = {
      client,
      userPoolId,
      clientId,
      confirmationCode: CONFIRMATION_CODE,
      passwordOf: (email) => passwords.get(email) ?? PASSWORD,
    };
    if (options.personas !== undefined) await addPersonas(pool, options.personas);
    const serviceEnvironment = {
      COGNITO_USER_POOL_ID: userPoolId,
      COGNITO_CLIENT_IDS: clientId,
      COGNITO_WEBHOOK_SECRET: webhookSecret,
      COGNITO_ENDPOINT: front.url,
    };
    const configure = (webhook: Readonly<Record<string, string>>): void =>
      lambda.configure({ ...functionEnvironment, COGNITO_WEBHOOK_SECRET: webhookSecret, ...webhook });
    // Tokens can be had before anybody listens for webhooks.
    configure({});

    return {
      name: 'cognito',
      url: front.url,
      keysUrl: `${front.url}/${userPoolId}/.well-known/jwks.json`,
      serviceEnvironment,
      userPoolId,
      clientId,
      client,
      confirmationCode: CONFIRMATION_CODE,
      lambda,
      key,
      deliverTo(url) {
        configure({ LATCHKEY_WEBHOOK_URL: relay.url });
        endpoint.set(url);
      },
      settled: events.idle,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

export const standIn: StandIn<LocalCognito> = {
  guide: cognitoGuide,
  start: ({ port, stateDirectory, personas, onLine, onAttempt }) =>
    startLocalCognito({
      port,
      directory: stateDirectory === undefined ? undefined : join(stateDirectory, 'cognito'),
      personas,
      onLine,
      onAttempt,
    }),
};

async function keptSecret(directory: string): Promise<string> {
  const file = join(directory, 'webhook-secret');
  const kept = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (kept !== '') return kept;
  const fresh = `whsec_${randomBytes(32).toString('base64')}`;
  await writeFile(file, `${fresh}\n`, { mode: 0o600 });
  return fresh;
}
