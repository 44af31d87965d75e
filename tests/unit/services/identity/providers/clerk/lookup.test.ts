import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Provider } from '../../../../../../services/identity/providers/provider.ts';
import { type ClerkDirectory, startClerkDirectory } from '../../../../../support/clerk-directory.ts';

let directory: ClerkDirectory;
beforeAll(async () => {
  directory = await startClerkDirectory();
});
afterAll(() => directory.close());
beforeEach(() => directory.reset());

const lookup = (...args: Parameters<Provider['lookup']>) => directory.provider.lookup(...args);

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
