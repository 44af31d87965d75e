import { randomBytes } from 'node:crypto';
import { createGraphqlClient, type GraphqlClient } from '@latchkey/local/graphql-client';
import { freePort, LOOPBACK } from '@latchkey/local/processes/ports';
import { untilAnswers } from '@latchkey/local/processes/wait';
import { type ServiceProcess, startService } from '@latchkey/local/programs/service';
import type { LocalCasdoor } from '@latchkey/local/stand-ins/casdoor';
import type { LocalClerk } from '@latchkey/local/stand-ins/clerk';
import type { LocalCognito } from '@latchkey/local/stand-ins/cognito';
import { startLocalProviders } from '@latchkey/local/stand-ins/start';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { z } from 'zod';
import { applyProject, startTestEngine } from './engine.ts';
import type { TestEngine } from './test-engine.ts';

/** The providers that have webhooks, a directory and accounts, and a stand-in each. */
export const THREE = ['clerk', 'casdoor', 'cognito'] as const;
export type OneOfThree = (typeof THREE)[number];

/** Somebody who has signed up at one of the providers. */
export type Person = {
  provider: OneOfThree;
  id: string;
  email: string;
  /** A good token of theirs. */
  token(): Promise<string>;
  /** One that the provider signed, with some claims and header parameters changed (undefined: left out). */
  signed(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
};

export type ThreeProviders = {
  clerk: LocalClerk;
  casdoor: LocalCasdoor;
  cognito: LocalCognito;
  /** Asks the service who a client is. */
  engine: TestEngine;
  hasura: GraphqlClient;
  service: ServiceProcess;
  adminSecret: string;
  actionSecret: string;
  asAdmin(query: string): Promise<Record<string, unknown>>;
  signUp(provider: OneOfThree, email: string): Promise<Person>;
  close(): Promise<void>;
};

/** @param env more settings of the service */
export async function startThreeProviders(
  env: Readonly<Record<string, string>> | ((own: Record<string, string>) => Record<string, string>) = {},
): Promise<ThreeProviders> {
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const { clerk, casdoor, cognito } = await startLocalProviders(THREE, {
      onStarted: (provider) => closers.push(() => provider.close()),
    });
    if (clerk === undefined || casdoor === undefined || cognito === undefined)
      throw new Error('One is missing.');
    const adminSecret = randomBytes(24).toString('base64url');
    const actionSecret = randomBytes(24).toString('base64url');
    const [enginePort, port] = [await freePort(), await freePort()];
    const own: Record<string, string> = {
      ...clerk.serviceEnvironment,
      ...casdoor.serviceEnvironment,
      ...cognito.serviceEnvironment,
      LATCHKEY_ACTION_SECRET: actionSecret,
    };
    const service = await startService({
      // Up before the engine is, as in production.
      engineUrl: `http://${LOOPBACK}:${enginePort}`,
      adminSecret,
      port,
      env: { ...own, ...(typeof env === 'function' ? env(own) : env) },
    });
    closers.push(() => service.close());
    const engine = await startTestEngine({
      adminSecret,
      authHook: true,
      port: enginePort,
      service: { url: service.url, actionSecret },
    });
    closers.push(() => engine.close());
    await applyProject(engine.url, adminSecret);
    await untilAnswers(`${service.url}/readyz`, service.child);
    for (const provider of [clerk, casdoor, cognito]) {
      provider.deliverTo(`${service.url}/webhooks/${provider.name}`);
    }
    const hasura = createGraphqlClient(engine.url);
    return {
      clerk,
      casdoor,
      cognito,
      engine,
      hasura,
      service,
      adminSecret,
      actionSecret,
      async asAdmin(query) {
        const { data, message } = await hasura.query(query, { adminSecret });
        if (data === null) throw new Error(message);
        return data;
      },
      async signUp(provider, email) {
        switch (provider) {
          case 'clerk':
            return signUpAtClerk(clerk, email);
          case 'casdoor':
            return signUpAtCasdoor(casdoor, email);
          case 'cognito':
            return signUpAtCognito(cognito, email);
        }
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function signUpAtClerk(clerk: LocalClerk, email: string): Promise<Person> {
  const { id } = clerk.directory.signUp({ email });
  await clerk.webhooks.idle();
  const token = () => clerk.token(id, { lifetimeSeconds: 600 });
  return {
    provider: 'clerk',
    id,
    email,
    token,
    signed: signer(token, clerk.key.sign),
  };
}

async function signUpAtCasdoor(casdoor: LocalCasdoor, email: string): Promise<Person> {
  const user = casdoor.actions.signUp(`acme/${email.split('@')[0]}`, { email, emailVerified: true });
  await casdoor.webhooks.idle();
  const token = () => casdoor.token(user, { format: 'JWT-Empty', lifetimeSeconds: 600 });
  return {
    provider: 'casdoor',
    id: user.id,
    email,
    token,
    signed: signer(token, casdoor.key.sign),
  };
}

async function signUpAtCognito(cognito: LocalCognito, email: string): Promise<Person> {
  const answer = await fetch(`${cognito.url}/sign-up`, {
    method: 'POST',
    body: new URLSearchParams({ email }),
  });
  const { sub } = z.object({ sub: z.string() }).parse(await answer.json());
  await cognito.settled();
  const token = async () =>
    (await fetch(`${cognito.url}/token?${new URLSearchParams({ user: email })}`)).text();
  return {
    provider: 'cognito',
    id: sub,
    email,
    token,
    signed: signer(token, cognito.key.sign),
  };
}

type Sign = (payload: Record<string, unknown>, header: Record<string, unknown>) => Promise<string>;

function signer(token: () => Promise<string>, sign: Sign): Person['signed'] {
  // One for all: to get another is to sign in again, which would show in the tables.
  let base: Promise<string> | undefined;
  return async (claims, header) => {
    base ??= token();
    const { alg: _, ...own } = decodeProtectedHeader(await base);
    return sign({ ...decodeJwt(await base), ...claims }, { ...own, ...header });
  };
}
