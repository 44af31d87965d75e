import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  AdminListGroupsForUserCommand,
  CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  ListUserPoolClientsCommand,
  ListUserPoolsCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { buildTriggers, type Trigger, triggerFiles } from '@latchkey/cognito-triggers/build';
import { z } from 'zod';
import { PROJECT_ROOT } from '#environment.ts';
import { freePort, LOOPBACK } from '#processes/ports.ts';
import { type Child, COMPILE_CACHE, startChild } from '#processes/processes.ts';
import { untilAnswers } from '#processes/wait.ts';
import { makePrivateFolder } from '#stand-ins/core/private-files.ts';
import type { LocalProvider, StandIn } from '#stand-ins/core/provider.ts';
import type { SigningKey } from '#stand-ins/core/signing-key.ts';
import type { Pool } from './control-api.ts';
import { type Front, startFront } from './front.ts';
import { type LocalLambda, startLocalLambda } from './lambda.ts';
import { keptSigningKey } from './signing-key.ts';

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
  directory?: string;
  /** More settings of the Lambda functions, such as LATCHKEY_ALLOWED_ROLES. */
  functionEnvironment?: Readonly<Record<string, string>>;
  onLine?: (line: string) => void;
};

const CONFIRMATION_CODE = '123456';
const NAME = 'latchkey';
/** As AWS invokes a function that failed on an event: twice more. Its waits are minutes. */
const EVENT_RETRY_MS = [200, 1_000];

const PRE_TOKEN = z.looseObject({
  triggerSource: z.string().startsWith('TokenGeneration_'),
  userPoolId: z.string(),
  userName: z.string(),
  request: z.looseObject({}),
});
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
    const events = new Set<Promise<void>>();
    const rule: unknown = JSON.parse(
      await readFile(join(PROJECT_ROOT, 'deploy', 'cognito', 'event-rule.json'), 'utf8'),
    );

    const functions = join(directory, 'functions');
    // Nobody invokes them before there is a pool.
    const building = buildTriggers(functions);
    const built = building.catch(() => {});
    closers.push(() => built);
    const lambda = await startLocalLambda({
      functions: triggerFiles(functions),
      prepare: withGroups,
      ...(onLine !== undefined && { onLine }),
    });
    closers.push(() => lambda.close());

    let pool: Pool | undefined;
    const port = await freePort();
    const front: Front = await startFront({
      port: options.port,
      behind: () => `http://${LOOPBACK}:${port}`,
      watched: new Set(RULE.parse(rule).detail.eventName),
      onEvent: (event) => {
        const delivery = deliver(lambda, event, onLine).finally(() => events.delete(delivery));
        events.add(delivery);
      },
      pool: () => {
        if (pool === undefined) throw new Error('The pool is not there yet: try again.');
        return pool;
      },
    });
    closers.push(() => front.close());
    const child = await startCognitoLocal({
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
      await Promise.all(events);
    });

    /** cognito-local leaves the groups out of the event that Cognito puts them into. */
    async function withGroups(event: unknown): Promise<unknown> {
      const preToken = PRE_TOKEN.safeParse(event).data;
      if (preToken === undefined) return event;
      const { userPoolId: UserPoolId, userName: Username } = preToken;
      const { Groups = [] } = await client.send(new AdminListGroupsForUserCommand({ UserPoolId, Username }));
      const groupConfiguration = { groupsToOverride: Groups.flatMap(({ GroupName }) => GroupName ?? []) };
      return { ...preToken, request: { ...preToken.request, groupConfiguration } };
    }

    const { userPoolId, clientId } = await keptPool(client);
    await building;
    pool = { client, clientId, confirmationCode: CONFIRMATION_CODE };
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
      deliverTo: (endpoint) => configure({ LATCHKEY_WEBHOOK_URL: endpoint }),
      async settled() {
        await Promise.all(events);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

export const standIn: StandIn<LocalCognito> = {
  start: ({ port, stateDirectory, onLine }) =>
    startLocalCognito({
      port,
      ...(stateDirectory !== undefined && { directory: join(stateDirectory, 'cognito') }),
      ...(onLine !== undefined && { onLine }),
    }),
};

async function startCognitoLocal(options: {
  directory: string;
  port: number;
  issuer: string;
  lambdaUrl: string;
  onLine: ((line: string) => void) | undefined;
}): Promise<Child> {
  const { directory, port, issuer, lambdaUrl, onLine } = options;
  const config = {
    TokenConfig: { IssuerDomain: issuer },
    LambdaClient: {
      endpoint: lambdaUrl,
      region: 'local',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    },
    TriggerFunctions: {
      PostConfirmation: 'forward-sign-in',
      PostAuthentication: 'forward-sign-in',
      PreTokenGeneration: 'pre-token-generation',
    } satisfies Record<string, Trigger>,
    UserPoolDefaults: { UsernameAttributes: ['email'] },
  };
  await writeFile(join(directory, '.cognito', 'config.json'), JSON.stringify(config, null, 2), {
    mode: 0o600,
  });
  const child = await startChild({
    name: 'cognito-local',
    command: process.execPath,
    args: [fileURLToPath(new URL('cognito-local.ts', import.meta.url)), String(port)],
    cwd: directory,
    env: {
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      CODE: CONFIRMATION_CODE,
      AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1',
    },
    ...(onLine !== undefined && { onLine }),
  });
  await untilAnswers(`http://${LOOPBACK}:${port}/health`, child).catch(async (error: unknown) => {
    await child.stop();
    throw error;
  });
  return child;
}

async function deliver(
  lambda: LocalLambda,
  event: object,
  onLine: ((line: string) => void) | undefined,
): Promise<void> {
  for (const wait of [...EVENT_RETRY_MS, undefined]) {
    try {
      await lambda.invoke('forward-event' satisfies Trigger, event);
      return;
    } catch (error) {
      onLine?.(String(error));
      if (wait !== undefined) await sleep(wait);
    }
  }
}

/** The pool and its app client, of an earlier run where there was one. */
async function keptPool(
  client: CognitoIdentityProviderClient,
): Promise<{ userPoolId: string; clientId: string }> {
  const { UserPools = [] } = await client.send(new ListUserPoolsCommand({ MaxResults: 60 }));
  const kept = UserPools.find(({ Name }) => Name === NAME)?.Id;
  const UserPoolId =
    kept ?? (await client.send(new CreateUserPoolCommand({ PoolName: NAME }))).UserPool?.Id ?? '';
  const { UserPoolClients = [] } = await client.send(new ListUserPoolClientsCommand({ UserPoolId }));
  const clientId =
    UserPoolClients[0]?.ClientId ??
    (await client.send(new CreateUserPoolClientCommand({ UserPoolId, ClientName: NAME }))).UserPoolClient
      ?.ClientId;
  if (UserPoolId === '' || clientId === undefined) throw new Error('cognito-local makes no user pool.');
  return { userPoolId: UserPoolId, clientId };
}

async function keptSecret(directory: string): Promise<string> {
  const file = join(directory, 'webhook-secret');
  const kept = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (kept !== '') return kept;
  const fresh = `whsec_${randomBytes(32).toString('base64')}`;
  await writeFile(file, `${fresh}\n`, { mode: 0o600 });
  return fresh;
}
