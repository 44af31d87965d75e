import { randomBytes } from 'node:crypto';
import {
  AdminGetUserCommand,
  ConfirmSignUpCommand,
  InitiateAuthCommand,
  SignUpCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { createGraphqlClient, type GraphqlClient } from '@latchkey/local/graphql-client';
import { freePort, LOOPBACK } from '@latchkey/local/processes/ports';
import { untilAnswers } from '@latchkey/local/processes/wait';
import { linkEnvironment } from '@latchkey/local/programs/engine';
import { startService } from '@latchkey/local/programs/service';
import { type LocalCasdoor, startLocalCasdoor } from '@latchkey/local/stand-ins/casdoor';
import { type LocalCognito, startLocalCognito } from '@latchkey/local/stand-ins/cognito';
import type { LocalProvider } from '@latchkey/local/stand-ins/core';
import { jwtSecretOf } from '@latchkey/scripts/stack/trust';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyProject, startTestEngine } from '../support/engine.ts';

const adminSecret = randomBytes(24).toString('base64url');
const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

/** An engine and a service for this provider, whose webhooks reach nobody. */
async function start(provider: LocalProvider): Promise<GraphqlClient> {
  closers.push(() => provider.close());
  const port = await freePort();
  const link = { url: `http://${LOOPBACK}:${port}`, actionSecret: randomBytes(24).toString('base64url') };
  const engine = await startTestEngine({ adminSecret, jwtSecret: jwtSecretOf(provider), service: link });
  closers.push(() => engine.close());
  await applyProject(engine.url, adminSecret);
  const service = await startService({
    engineUrl: engine.url,
    adminSecret,
    port,
    env: { ...provider.serviceEnvironment, ...linkEnvironment(link) },
  });
  closers.push(() => service.close());
  await untilAnswers(`${service.url}/readyz`, service.child);
  return createGraphqlClient(engine.url);
}

/** From the first screen after the sign-up to the end of the account. */
async function play(hasura: GraphqlClient, token: string, id: string, before: object): Promise<void> {
  const ask = async (query: string) => (await hasura.query(query, { token })).data;
  const PROFILE = '{ id user { id email first_name last_name name } }';
  expect(await ask('{ users { id } }')).toEqual({ users: [] });
  expect(await ask(`mutation { syncMe ${PROFILE} }`)).toEqual({
    syncMe: { id, user: { id, first_name: null, last_name: null, ...before } },
  });
  const changed = { id, first_name: 'Ada', last_name: 'King', name: 'Countess of Lovelace' };
  const profile = '(first_name: "Ada", last_name: "King", name: "Countess of Lovelace")';
  expect(await ask(`mutation { updateMyProfile${profile} ${PROFILE} }`)).toMatchObject({
    updateMyProfile: { user: changed },
  });
  expect(await ask('mutation { syncMe { user { id first_name last_name name } } }')).toEqual({
    syncMe: { user: changed },
  });
  for (const _time of [1, 2]) {
    expect(await ask('mutation { deleteMyAccount { id user { id } } }')).toEqual({
      deleteMyAccount: { id, user: null },
    });
  }
  expect(await ask('{ users { id } }')).toEqual({ users: [] });
  const { codes } = await hasura.query('mutation { syncMe { id } }', { token });
  expect(codes).toEqual(['not-found']);
  const { data } = await hasura.query(`{ users_by_pk(id: "${id}") { email deleted_at } }`, { adminSecret });
  expect(data).toEqual({ users_by_pk: { email: null, deleted_at: expect.any(String) } });
}

describe('with Casdoor', () => {
  let casdoor: LocalCasdoor;
  let hasura: GraphqlClient;
  beforeAll(async () => {
    casdoor = await startLocalCasdoor({ port: 0 });
    hasura = await start(casdoor);
  });

  test('a user is brought, changed and deleted, there and here', async () => {
    const user = casdoor.directory.addUser('acme/ada', { email: 'ada@example.com' });
    await play(hasura, await casdoor.token(user), user.id, { email: 'ada@example.com', name: 'ada' });
    expect(casdoor.directory.findUser(user.id)).toBeUndefined();
  });
});

describe('with Cognito', () => {
  let cognito: LocalCognito;
  let hasura: GraphqlClient;
  beforeAll(async () => {
    cognito = await startLocalCognito({ port: 0 });
    hasura = await start(cognito);
  });

  test('a user is brought, changed and deleted, there and here', async () => {
    const {
      client,
      clientId: ClientId,
      confirmationCode: ConfirmationCode,
      userPoolId: UserPoolId,
    } = cognito;
    const [Username, Password] = ['ada@example.com', 'Passw0rd!'];
    const UserAttributes = [{ Name: 'email', Value: Username }];
    const { UserSub: id = '' } = await client.send(
      new SignUpCommand({ ClientId, Username, Password, UserAttributes }),
    );
    await client.send(new ConfirmSignUpCommand({ ClientId, Username, ConfirmationCode }));
    const { AuthenticationResult } = await client.send(
      new InitiateAuthCommand({
        ClientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: Username, PASSWORD: Password },
      }),
    );
    await play(hasura, AuthenticationResult?.IdToken ?? '', id, { email: Username, name: null });
    await expect(client.send(new AdminGetUserCommand({ UserPoolId, Username }))).rejects.toThrow();
  });
});
