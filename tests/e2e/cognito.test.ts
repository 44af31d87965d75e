import { randomBytes } from 'node:crypto';
import {
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  AdminDeleteUserCommand,
  AdminDisableUserCommand,
  AdminEnableUserCommand,
  AdminRemoveUserFromGroupCommand,
  AdminUpdateUserAttributesCommand,
  AdminUserGlobalSignOutCommand,
  ConfirmSignUpCommand,
  CreateGroupCommand,
  CreateUserPoolClientCommand,
  DeleteGroupCommand,
  InitiateAuthCommand,
  SignUpCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { type Caller, createGraphqlClient, type GraphqlClient } from '@latchkey/local/graphql-client';
import { freePort } from '@latchkey/local/processes/ports';
import { untilAnswers } from '@latchkey/local/processes/wait';
import { type ServiceProcess, startService } from '@latchkey/local/programs/service';
import { type LocalCognito, startLocalCognito } from '@latchkey/local/stand-ins/cognito';
import { jwtSecretOf } from '@latchkey/scripts/stack/trust';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { signed } from '../support/cognito.ts';
import { applyProject, startTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/test-engine.ts';

const PASSWORD = 'Passw0rd!';
const adminSecret = randomBytes(24).toString('base64url');
const closers: (() => Promise<unknown>)[] = [];
let cognito: LocalCognito;
let engine: TestEngine;
let hasura: GraphqlClient;
let service: ServiceProcess;
let startAgain: () => Promise<ServiceProcess>;

beforeAll(async () => {
  cognito = await startLocalCognito({
    port: 0,
    functionEnvironment: { LATCHKEY_ALLOWED_ROLES: 'editor', LATCHKEY_CLAIMS: 'mail=email' },
  });
  closers.push(() => cognito.close());
  engine = await startTestEngine({ adminSecret, jwtSecret: jwtSecretOf(cognito) });
  closers.push(() => engine.close());
  hasura = createGraphqlClient(engine.url);
  await applyProject(engine.url, adminSecret);
  const port = await freePort();
  startAgain = async () => {
    const env = cognito.serviceEnvironment;
    const started = await startService({ engineUrl: engine.url, adminSecret, port, env });
    await untilAnswers(`${started.url}/readyz`, started.child);
    return started;
  };
  service = await startAgain();
  closers.push(() => service.close());
  cognito.deliverTo(`${service.url}/webhooks/cognito`);
});
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

async function signUp(email: string): Promise<string> {
  const { client, clientId: ClientId, confirmationCode: ConfirmationCode } = cognito;
  const UserAttributes = [{ Name: 'email', Value: email }];
  const { UserSub } = await client.send(
    new SignUpCommand({ ClientId, Username: email, Password: PASSWORD, UserAttributes }),
  );
  await client.send(new ConfirmSignUpCommand({ ClientId, Username: email, ConfirmationCode }));
  if (UserSub === undefined) throw new Error('Nobody signed up.');
  return UserSub;
}

async function signIn(email: string, ClientId = cognito.clientId) {
  const { AuthenticationResult } = await cognito.client.send(
    new InitiateAuthCommand({
      ClientId,
      AuthFlow: 'USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: email, PASSWORD },
    }),
  );
  const { IdToken = '', AccessToken = '', RefreshToken = '' } = AuthenticationResult ?? {};
  return { idToken: IdToken, accessToken: AccessToken, refreshToken: RefreshToken };
}

async function ask(query: string, caller: Caller, variables = {}): Promise<Record<string, unknown>> {
  const { data, codes, message } = await hasura.query(query, caller, variables);
  if (data === null) throw new Error(`Hasura answered ${codes.join(', ')}: ${message}`);
  return data;
}
const asAdmin = (query: string, variables = {}) => ask(query, { adminSecret }, variables);
const inPool = <T extends object>(input: T) => ({ UserPoolId: cognito.userPoolId, ...input });

/** Lets something happen in the pool, and waits until the events of it are delivered. */
async function happens(change: Promise<unknown>): Promise<void> {
  await change;
  await cognito.settled();
}

const ROW = 'query ($id: String!) { users_by_pk(id: $id) { email roles deleted_at last_seen first_name } }';
const MEMBERSHIPS = `query ($id: String!) {
  organization_memberships(where: { user_id: { _eq: $id }, deleted_at: { _is_null: true } }) {
    role
    organization { name provider }
  }
}`;

test('who signs up has a row before the sign-up is confirmed, and reads it with their ID token', async () => {
  const sub = await signUp('ada@example.com');
  expect(await asAdmin(ROW, { id: sub })).toMatchObject({
    users_by_pk: { email: 'ada@example.com', roles: [], deleted_at: null },
  });
  const { idToken } = await signIn('ada@example.com');
  expect(await ask('{ users { id email provider } }', { token: idToken })).toEqual({
    users: [{ id: sub, email: 'ada@example.com', provider: 'cognito' }],
  });
});

test('everybody reads their own row alone', async () => {
  const [ben, cam] = [await signUp('ben@example.com'), await signUp('cam@example.com')];
  for (const [email, id] of [
    ['ben@example.com', ben],
    ['cam@example.com', cam],
  ] as const) {
    const { idToken } = await signIn(email);
    expect(await ask('{ users { id } }', { token: idToken })).toEqual({ users: [{ id }] });
  }
});

test('groups become roles and memberships; only an allowed one gives a role in Hasura', async () => {
  const sub = await signUp('dee@example.com');
  for (const GroupName of ['admin', 'editor']) {
    await happens(cognito.client.send(new CreateGroupCommand(inPool({ GroupName }))));
    await happens(cognito.client.send(new AdminAddUserToGroupCommand(inPool({ GroupName, Username: sub }))));
  }
  expect(await asAdmin(ROW, { id: sub })).toMatchObject({ users_by_pk: { roles: ['admin', 'editor'] } });
  expect(await asAdmin(MEMBERSHIPS, { id: sub })).toEqual({
    organization_memberships: expect.arrayContaining([
      { role: 'org:member', organization: { name: 'admin', provider: 'cognito' } },
      { role: 'org:member', organization: { name: 'editor', provider: 'cognito' } },
    ]),
  });

  const { idToken } = await signIn('dee@example.com');
  const codes = async (role: string) =>
    (await hasura.query('{ users { id } }', { token: idToken, role })).codes;
  expect(await codes('user')).toEqual([]);
  // Allowed, and without any permission in the metadata.
  expect(await codes('editor')).toEqual(['validation-failed']);
  expect(await codes('admin')).toEqual(['access-denied']);
  expect(await codes('owner')).toEqual(['access-denied']);

  await happens(
    cognito.client.send(new AdminRemoveUserFromGroupCommand(inPool({ GroupName: 'admin', Username: sub }))),
  );
  await happens(cognito.client.send(new DeleteGroupCommand(inPool({ GroupName: 'editor' }))));
  expect(await asAdmin(ROW, { id: sub })).toMatchObject({ users_by_pk: { roles: [] } });
  expect(await asAdmin(MEMBERSHIPS, { id: sub })).toEqual({ organization_memberships: [] });
});

test('tokens of the other kinds and of other app clients are refused', async () => {
  await signUp('eve@example.com');
  const { accessToken, refreshToken } = await signIn('eve@example.com');
  const { UserPoolClient } = await cognito.client.send(
    new CreateUserPoolClientCommand(inPool({ ClientName: 'another' })),
  );
  const other = await signIn('eve@example.com', UserPoolClient?.ClientId);
  for (const token of [accessToken, refreshToken, other.idToken]) {
    const { data, codes } = await hasura.query('{ users { id } }', { token });
    expect({ data, codes: codes.length }).toEqual({ data: null, codes: 1 });
  }
});

test('what an administrator does reaches the row: creation, a new name, deletion', async () => {
  const Username = 'fay@example.com';
  const { User } = await cognito.client.send(
    new AdminCreateUserCommand(inPool({ Username, MessageAction: 'SUPPRESS' as const })),
  );
  const sub = User?.Attributes?.find(({ Name }) => Name === 'sub')?.Value ?? '';
  await cognito.settled();
  expect(await asAdmin(ROW, { id: sub })).toMatchObject({
    users_by_pk: { email: Username, first_name: null },
  });

  const UserAttributes = [{ Name: 'given_name', Value: 'Fay' }];
  await happens(
    cognito.client.send(new AdminUpdateUserAttributesCommand(inPool({ Username: sub, UserAttributes }))),
  );
  expect(await asAdmin(ROW, { id: sub })).toMatchObject({ users_by_pk: { first_name: 'Fay' } });

  await happens(cognito.client.send(new AdminDeleteUserCommand(inPool({ Username: sub }))));
  expect(await asAdmin(ROW, { id: sub })).toMatchObject({
    users_by_pk: { email: null, first_name: null, deleted_at: expect.any(String) },
  });
});

test('who is deleted sees nothing any more, though their token has not expired', async () => {
  const sub = await signUp('gus@example.com');
  const { idToken } = await signIn('gus@example.com');
  expect(await ask('{ users { id } }', { token: idToken })).toEqual({ users: [{ id: sub }] });
  await happens(cognito.client.send(new AdminDeleteUserCommand(inPool({ Username: sub }))));
  expect(await ask('{ users { id } }', { token: idToken })).toEqual({ users: [] });
  expect(
    await asAdmin(
      'query ($id: String!) { identity_deliveries(where: { subject: { _eq: $id }, payload: { _is_null: false } }) { type } }',
      { id: sub },
    ),
  ).toEqual({ identity_deliveries: [] });
});

test('who is disabled is so in their row, sees nothing, and sees it again when they are enabled', async () => {
  const Username = await signUp('jan@example.com');
  const { idToken } = await signIn('jan@example.com');
  const disabledAt = async () => {
    const answer = await asAdmin('query ($id: String!) { users_by_pk(id: $id) { disabled_at } }', {
      id: Username,
    });
    return z.object({ users_by_pk: z.object({ disabled_at: z.string().nullable() }) }).parse(answer)
      .users_by_pk.disabled_at;
  };
  expect(await disabledAt()).toBeNull();
  await happens(cognito.client.send(new AdminDisableUserCommand(inPool({ Username }))));
  expect(await disabledAt()).toEqual(expect.any(String));
  expect(await ask('{ users { id } }', { token: idToken })).toEqual({ users: [] });
  await happens(cognito.client.send(new AdminEnableUserCommand(inPool({ Username }))));
  expect(await disabledAt()).toBeNull();
  expect(await ask('{ users { id } }', { token: idToken })).toEqual({ users: [{ id: Username }] });
});

test('an address that nobody has confirmed is in no row, until it is', async () => {
  const { client, clientId: ClientId, confirmationCode: ConfirmationCode } = cognito;
  const Username = 'kim@example.com';
  const UserAttributes = [{ Name: 'email', Value: Username }];
  const { UserSub: id } = await client.send(
    new SignUpCommand({ ClientId, Username, Password: PASSWORD, UserAttributes }),
  );
  await happens(client.send(new AdminUpdateUserAttributesCommand(inPool({ Username, UserAttributes }))));
  expect(await asAdmin(ROW, { id })).toEqual({ users_by_pk: null });
  await client.send(new ConfirmSignUpCommand({ ClientId, Username, ConfirmationCode }));
  expect(await asAdmin(ROW, { id })).toMatchObject({ users_by_pk: { email: Username } });
});

test('a token carries organizations, tenant and the listed attributes as texts', async () => {
  const sub = await signUp('lea@example.com');
  const GroupName = 'team "one", two';
  await happens(cognito.client.send(new CreateGroupCommand(inPool({ GroupName }))));
  await happens(cognito.client.send(new AdminAddUserToGroupCommand(inPool({ GroupName, Username: sub }))));
  const claims = decodeJwt((await signIn('lea@example.com')).idToken)['https://hasura.io/jwt/claims'];
  const { userPoolId } = cognito;
  expect(JSON.parse(String(claims))).toMatchObject({
    'x-hasura-identity-provider': 'cognito',
    'x-hasura-identity-tenant': userPoolId,
    'x-hasura-org-ids': `{"${userPoolId}/team \\"one\\", two"}`,
    'x-hasura-mail': 'lea@example.com',
  });
});

test('who is signed out everywhere gets no new tokens', async () => {
  const Username = await signUp('mia@example.com');
  const { refreshToken: REFRESH_TOKEN } = await signIn('mia@example.com');
  const refresh = () =>
    cognito.client.send(
      new InitiateAuthCommand({
        ClientId: cognito.clientId,
        AuthFlow: 'REFRESH_TOKEN_AUTH',
        AuthParameters: { REFRESH_TOKEN },
      }),
    );
  expect((await refresh()).AuthenticationResult?.IdToken).toEqual(expect.any(String));
  await cognito.client.send(new AdminUserGlobalSignOutCommand(inPool({ Username })));
  await expect(refresh()).rejects.toThrow();
});

test('while the service is down people sign up and in all the same; the next sign-in brings their row', async () => {
  await service.close();
  const sub = await signUp('hal@example.com');
  const { idToken } = await signIn('hal@example.com');
  expect(await ask('{ users { id } }', { token: idToken })).toEqual({ users: [] });
  service = await startAgain();
  await signIn('hal@example.com');
  expect(await ask('{ users { id } }', { token: idToken })).toEqual({ users: [{ id: sub }] });
});

test('a hint that nobody signed is refused, and nothing is stored', async () => {
  const body = JSON.stringify({
    type: 'AdminDeleteUser',
    timestamp: new Date().toISOString(),
    data: { sub: await signUp('ida@example.com') },
  });
  for (const headers of [
    { 'content-type': 'application/json' },
    signed(body, { id: 'forged', secret: `whsec_${randomBytes(32).toString('base64')}` }),
  ]) {
    const response = await fetch(`${service.url}/webhooks/cognito`, { method: 'POST', headers, body });
    expect(response.status).toBe(401);
  }
  expect(await asAdmin('{ identity_deliveries(where: { id: { _eq: "forged" } }) { id } }')).toEqual({
    identity_deliveries: [],
  });
});
