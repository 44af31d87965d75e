import {
  type ClerkDirectory,
  startClerkDirectory,
  withoutOrganizations,
} from '@latchkey/tests/support/clerk-directory';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RecordKey } from '#core/records.ts';
import { clerkLookup } from '#providers/clerk/lookup.ts';
import type { Directory } from '#providers/provider.ts';

let directory: ClerkDirectory;
beforeAll(async () => {
  directory = await startClerkDirectory();
});
afterAll(() => directory.close());
beforeEach(() => directory.reset());

const lookup = (...args: Parameters<Directory['lookup']>) => directory.provider.directory.lookup(...args);

function populate() {
  return directory.change(() => {
    const { directory: clerk } = directory.clerk;
    const users = ['Ada', 'Grace'].map((firstName) => clerk.signUp({ firstName }).id);
    const { id: organization } = clerk.createOrganization({ name: 'Analytical' });
    for (const user of users) clerk.setMembership(organization, user, 'org:member');
    return { ada: users[0] ?? '', grace: users[1] ?? '', organization };
  }).result;
}

test('a user, an organization and a membership are each read by name', async () => {
  const { grace, organization } = populate();
  expect(await lookup({ kind: 'user', tenant: '', id: grace })).toMatchObject({
    id: grace,
    firstName: 'Grace',
  });
  expect(await lookup({ kind: 'organization', tenant: '', id: organization })).toMatchObject({
    name: 'Analytical',
  });
  expect(
    await lookup({ kind: 'membership', tenant: '', organizationId: organization, userId: grace }),
  ).toMatchObject({
    organizationId: organization,
    userId: grace,
    role: 'org:member',
    deleted: false,
  });
});

test('what is not there is nothing', async () => {
  const { ada, organization } = populate();
  directory.change(() => directory.clerk.directory.removeMembership(organization, ada));
  expect(await lookup({ kind: 'user', tenant: '', id: 'user_gone' })).toBeUndefined();
  expect(await lookup({ kind: 'organization', tenant: '', id: 'org_gone' })).toBeUndefined();
  for (const organizationId of [organization, 'org_gone']) {
    expect(await lookup({ kind: 'membership', tenant: '', organizationId, userId: ada })).toBeUndefined();
  }
});

describe('an answer about another than was asked for is no answer', () => {
  test.each<[string, (ids: ReturnType<typeof populate>) => RecordKey]>([
    ['user', ({ ada }) => ({ kind: 'user', tenant: '', id: ada })],
    ['organization', ({ organization }) => ({ kind: 'organization', tenant: '', id: organization })],
    [
      'membership',
      ({ organization, ada }) => ({
        kind: 'membership',
        tenant: '',
        organizationId: organization,
        userId: ada,
      }),
    ],
  ])('of a %s', async (_kind, keyOf) => {
    const ids = populate();
    const others = (answer: unknown): unknown =>
      JSON.parse(
        JSON.stringify(answer).replaceAll(ids.ada, ids.grace).replaceAll(ids.organization, 'org_other'),
      );
    directory.intercept = () => ({ change: others });
    await expect(lookup(keyOf(ids))).rejects.toThrow(
      expect.objectContaining({
        code: 'provider-unreachable',
        message: expect.stringMatching(/answers with another (id|membership) than was asked for: check/),
      }),
    );
  });
});

test('where Organizations are switched off there is none, and no membership', async () => {
  const { ada, organization } = populate();
  directory.intercept = withoutOrganizations;
  expect(await lookup({ kind: 'organization', tenant: '', id: organization })).toBeUndefined();
  expect(
    await lookup({ kind: 'membership', tenant: '', organizationId: organization, userId: ada }),
  ).toBeUndefined();
  expect(await lookup({ kind: 'user', tenant: '', id: ada })).toMatchObject({ id: ada });
});

test('what is not there is so only if it is Clerk that says it', async () => {
  const { ada } = populate();
  directory.intercept = () => ({ status: 404, body: '{"errors":[]}' });
  await expect(lookup({ kind: 'user', tenant: '', id: ada })).rejects.toThrow(
    expect.objectContaining({
      code: 'provider-unreachable',
      message: expect.stringContaining('CLERK_API_URL'),
    }),
  );
});

test.each(['..', '.', ''])('the id "%s" leads nowhere else', async (id) => {
  populate();
  expect(await lookup({ kind: 'user', tenant: '', id })).toBeUndefined();
  expect(directory.calls).toEqual([]);
});

describe('with CLERK_INSTANCE_ID', () => {
  const at = (instanceId: string) =>
    clerkLookup({
      secretKey: directory.environment.CLERK_SECRET_KEY,
      apiUrl: directory.environment.CLERK_API_URL ?? '',
      instanceId,
    });
  const paths = () => directory.calls.map(({ path }) => path);

  test('nothing of another instance is kept in step, and nothing is asked', async () => {
    const { ada } = populate();
    const here = at(directory.clerk.instanceId);
    expect(await here({ kind: 'user', tenant: 'ins_elsewhere', id: ada })).toBeUndefined();
    expect(directory.calls).toEqual([]);
    for (const tenant of [directory.clerk.instanceId, '']) {
      expect(await here({ kind: 'user', tenant, id: ada })).toMatchObject({
        id: ada,
        tenant: directory.clerk.instanceId,
      });
    }
    // Once and for all.
    expect(paths().filter((path) => path === '/v1/instance')).toHaveLength(1);
  });

  test('a secret key of another instance is told by name, and finds nobody gone', async () => {
    const { ada } = populate();
    const wrong = at('ins_another')({ kind: 'user', tenant: '', id: ada });
    await expect(wrong).rejects.toMatchObject({
      code: 'configuration-invalid',
      message: `CLERK_SECRET_KEY is a key of the instance ${directory.clerk.instanceId}, and CLERK_INSTANCE_ID is ins_another: correct the one that is wrong.`,
    });
    expect(paths()).toEqual(['/v1/instance']);
  });

  test('of whatever does not tell its instance nobody is taken for gone either', async () => {
    const { ada } = populate();
    const body = '{"errors":[{"code":"resource_not_found"}]}';
    directory.intercept = ({ path }) => (path === '/v1/instance' ? { status: 404, body } : undefined);
    await expect(at('ins_1')({ kind: 'user', tenant: '', id: ada })).rejects.toMatchObject({
      code: 'provider-unreachable',
      message: expect.stringContaining('answers with nothing to /v1/instance'),
    });
  });
});

test('a refusal is no answer: nobody is taken for gone because of it', async () => {
  const { ada } = populate();
  directory.intercept = () => ({ status: 403 });
  await expect(lookup({ kind: 'user', tenant: '', id: ada })).rejects.toThrow(
    expect.objectContaining({ code: 'provider-unreachable' }),
  );
});

test('a limited rate is waited for', async () => {
  const { ada } = populate();
  let refusals = 2;
  directory.intercept = () => (refusals-- > 0 ? { status: 429, headers: { 'retry-after': '0' } } : undefined);
  expect(await lookup({ kind: 'user', tenant: '', id: ada })).toMatchObject({ id: ada });
});
