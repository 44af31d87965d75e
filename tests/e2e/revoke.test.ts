import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { latchkey } from '../support/latchkey.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import {
  type OneOfThree,
  type Person,
  startThreeProviders,
  THREE,
  type ThreeProviders,
} from '../support/three-providers.ts';

/** What is promised of the auth hook, in milliseconds. */
const PROMISED_MS = 5_000;
/** For requests on a machine that is busy with other tests. */
const GRACE_MS = 5_000;

let stack: ThreeProviders;
let env: Record<string, string>;
beforeAll(async () => {
  stack = await startThreeProviders();
  env = {
    ...stack.clerk.serviceEnvironment,
    ...stack.casdoor.serviceEnvironment,
    ...stack.cognito.serviceEnvironment,
    HASURA_GRAPHQL_ENDPOINT: stack.engine.url,
    HASURA_GRAPHQL_ADMIN_SECRET: stack.adminSecret,
  };
}, 120_000);
afterAll(() => stack?.close());

let people = 0;
function signUp(provider: OneOfThree): Promise<Person> {
  people += 1;
  return stack.signUp(provider, `person-${people}@example.com`);
}
async function ask(token: string, query = '{ users { id } }') {
  const { data, codes } = await stack.hasura.query(query, { token });
  return codes.length > 0 ? codes : data;
}
const isRefused = ['access-denied'];

/** A token of a sign-in of now: issued in a later second than what was done before. */
async function laterToken(person: Person): Promise<string> {
  const second = Math.floor(Date.now() / 1000);
  await expect.poll(() => Math.floor(Date.now() / 1000), { timeout: 2_000 }).toBeGreaterThan(second);
  const iat = Math.floor(Date.now() / 1000);
  return person.signed({ iat, exp: iat + 600 });
}

describe.each(THREE)('of a user of %s', (name) => {
  test('latchkey revoke ends every session within the promised time, and a new sign-in is good', async () => {
    const person = await signUp(name);
    const bystander = await signUp(name);
    const [token, bystanders] = [await person.token(), await bystander.token()];
    expect(await ask(token)).toEqual({ users: [{ id: person.id }] });

    const { code, stdout } = await latchkey(['revoke', person.id], env);
    const revokedAt = Date.now();
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^${person.id} of ${name}.*: tokens issued before \\S+Z are refused`));
    await expect.poll(() => ask(token), { timeout: PROMISED_MS + GRACE_MS }).toEqual(isRefused);
    expect(Date.now() - revokedAt).toBeLessThan(PROMISED_MS + GRACE_MS);

    expect(await ask(await laterToken(person))).toEqual({ users: [{ id: person.id }] });
    expect(await ask(bystanders)).toEqual({ users: [{ id: bystander.id }] });
  });

  test('signOutEverywhere ends every session at once, that of the caller too', async () => {
    const person = await signUp(name);
    const tokens = [await person.token(), await person.signed({ jti: 'another device' })];
    for (const token of tokens) expect(await ask(token)).toEqual({ users: [{ id: person.id }] });
    const [token = ''] = tokens;
    expect(await ask(token, 'mutation { signOutEverywhere { id } }')).toEqual({
      signOutEverywhere: { id: person.id },
    });
    for (const one of tokens) {
      expect(await ask(one)).toEqual(isRefused);
      expect(await ask(one, 'mutation { syncMe { id } }')).toEqual(isRefused);
    }
    expect(await ask(await laterToken(person), 'mutation { syncMe { id } }')).toEqual({
      syncMe: { id: person.id },
    });
  });
});

describe('latchkey revoke', () => {
  test('changes nothing where the user is of another provider than is said, and names whose it is', async () => {
    const person = await signUp('casdoor');
    const { code, stderr } = await latchkey(['revoke', person.id, '--provider', 'clerk'], env);
    expect([code, stderr]).toEqual([
      1,
      `latchkey revoke: That is ${person.id} of casdoor acme: nothing was changed.\n`,
    ]);
    expect(await stack.asAdmin(`{ users_by_pk(id: "${person.id}") { tokens_valid_from } }`)).toEqual({
      users_by_pk: { tokens_valid_from: null },
    });
    expect((await latchkey(['revoke', person.id, '--provider', 'casdoor'], env)).code).toBe(0);
  });

  test.each<[string[], number, RegExp]>([
    [['nobody-at-all'], 1, /There is no user nobody-at-all/],
    [[], 2, /It takes one <user-id>/],
    [['x', '--provider', 'okta'], 2, /--provider takes clerk, casdoor, cognito, oidc, not okta/],
  ])('%j ends with %i and says why', async (args, code, message) => {
    const answer = await latchkey(['revoke', ...args], env);
    expect(answer).toMatchObject({ code, stderr: expect.stringMatching(message) });
  });

  test('says that a deleted user has no sessions', async () => {
    const person = await signUp('clerk');
    stack.clerk.directory.deleteUser(person.id);
    await stack.clerk.webhooks.idle();
    expect(await latchkey(['revoke', person.id], env)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('is deleted'),
    });
  });
});

describe('in JWT mode, which looks at no row', () => {
  let alone: TestStack;
  beforeAll(async () => {
    alone = await startTestStack({ linked: true });
  });
  afterAll(() => alone?.close());

  test('latchkey revoke says what it cannot do, and does not keep the user from actions', async () => {
    const { id } = alone.clerk.directory.signUp({ email: 'ada@example.com' });
    await alone.clerk.webhooks.idle();
    const { code, stderr } = await latchkey(['revoke', id], {
      ...alone.clerk.serviceEnvironment,
      HASURA_GRAPHQL_ENDPOINT: alone.engine.url,
      HASURA_GRAPHQL_ADMIN_SECRET: alone.adminSecret,
    });
    expect([code, stderr]).toEqual([1, expect.stringContaining('stay good until they expire')]);
    expect(await alone.asUser(await alone.clerk.token(id), 'mutation { syncMe { id } }')).toEqual({
      syncMe: { id },
    });
  });
});
