import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildTriggers, TRIGGERS } from '@latchkey/cognito-triggers/build';
import { apiCallHint } from '@latchkey/cognito-triggers/hint';
import { fixture, SUB } from '@latchkey/tests/support/cognito';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventOf } from '#stand-ins/cognito/cloudtrail.ts';
import { type LocalLambda, startLocalLambda } from '#stand-ins/cognito/lambda.ts';

let folder: string;
let lambda: LocalLambda;
const lines: string[] = [];

beforeAll(async () => {
  // Nothing of the project is beside it: what the bundles need must be in them.
  folder = await mkdtemp(join(tmpdir(), 'latchkey-lambda-'));
  const echo = join(folder, 'echo.mjs');
  await writeFile(
    echo,
    `export const handler = async (event, context) => {
      if (event.fail) throw new Error('as asked');
      return { event, seen: process.env, id: context.awsRequestId, left: context.getRemainingTimeInMillis() };
    };`,
  );
  lambda = await startLocalLambda({
    functions: { ...(await buildTriggers(folder)), echo },
    onLine: (line) => lines.push(line),
  });
});
afterAll(async () => {
  await lambda?.close();
  await rm(folder, { recursive: true, force: true });
});

const overHttp = async (name: string, event: unknown) => {
  const response = await fetch(`${lambda.url}/2015-03-31/functions/${name}/invocations`, {
    method: 'POST',
    headers: { 'content-type': 'binary/octet-stream' },
    body: JSON.stringify(event),
  });
  return { failed: response.headers.get('x-amz-function-error'), body: await response.json() };
};

test('a function sees the variables it was given and no others, and new ones when they change', async () => {
  lambda.configure({ COLOUR: 'red' });
  expect(await lambda.invoke('echo', { n: 1 })).toMatchObject({ event: { n: 1 }, seen: { COLOUR: 'red' } });
  lambda.configure({ COLOUR: 'blue' });
  expect(await overHttp('echo', { n: 2 })).toEqual({
    failed: null,
    body: {
      event: { n: 2 },
      seen: { COLOUR: 'blue' },
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      left: expect.toSatisfy((ms: number) => ms > 0 && ms <= 5_000),
    },
  });
});

test('what a function throws is told as Lambda tells it', async () => {
  const told = { failed: 'Unhandled', body: { errorMessage: 'as asked' } };
  expect(await overHttp('echo', { fail: true })).toEqual(told);
  expect(await overHttp('nobody', {})).toMatchObject({ failed: 'Unhandled' });
});

test('the bundles run on their own, and put claims into a token', async () => {
  lambda.configure({ LATCHKEY_ALLOWED_ROLES: 'admins' });
  const answer = await lambda.invoke('pre-token-generation', fixture('pretoken.v2.json'));
  expect(JSON.stringify(answer)).toContain(
    `{"x-hasura-default-role":"user","x-hasura-allowed-roles":["user","admins"],"x-hasura-user-id":"${SUB}","x-hasura-identity-provider":"cognito"`,
  );
});

test('without their variables tokens carry the least, people sign in, and events fail to come again', async () => {
  lambda.configure({ LATCHKEY_ALLOWED_ROLES: 'admin' });
  expect(JSON.stringify(await lambda.invoke('pre-token-generation', fixture('pretoken.v1.json')))).toContain(
    '\\"x-hasura-allowed-roles\\":[\\"user\\"]',
  );
  const signIn = fixture('postauthentication.json');
  expect(await lambda.invoke('forward-sign-in', signIn)).toEqual(signIn);
  await expect(lambda.invoke('forward-event', fixture('cloudtrail.DeleteUser.json'))).rejects.toThrow(
    'LATCHKEY_WEBHOOK_URL',
  );
  expect(lines.join('\n')).toContain('LATCHKEY_ALLOWED_ROLES must not hold the role admin');
  expect(TRIGGERS).toHaveLength(3);
});

test('the events that are played out here are read as the recorded ones are', () => {
  const recorded = fixture('cloudtrail.AdminAddUserToGroup.json');
  const input = { UserPoolId: 'eu-west-1_EXAMPLE12', Username: SUB, GroupName: 'admins' };
  const played = eventOf({ operation: 'AdminAddUserToGroup', input, sub: SUB }, {});
  expect(apiCallHint(played)?.hint.data).toEqual(apiCallHint(recorded)?.hint.data);
  expect(JSON.stringify(played)).toContain('"username":"HIDDEN_DUE_TO_SECURITY_REASONS"');
});
