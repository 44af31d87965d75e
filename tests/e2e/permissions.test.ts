import type { ClerkOrganization, ClerkUser } from '@latchkey/local/stand-ins/clerk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let ada: ClerkUser;
let ben: ClerkUser;
let cem: ClerkUser;
/** Ada is its admin, Ben a member. */
let north: ClerkOrganization;
/** Cem is its admin. */
let south: ClerkOrganization;

beforeAll(async () => {
  stack = await startTestStack();
  const { directory, webhooks } = stack.clerk;
  ada = directory.signUp({ email: 'ada@example.com', firstName: 'Ada', publicMetadata: { plan: 'pro' } });
  ben = directory.signUp({ email: 'ben@example.com', firstName: 'Ben' });
  cem = directory.signUp({ email: 'cem@example.com', firstName: 'Cem' });
  north = directory.createOrganization({ name: 'North', createdBy: ada.id });
  south = directory.createOrganization({ name: 'South', createdBy: cem.id });
  directory.setMembership(north.id, ada.id, 'org:admin');
  directory.setMembership(north.id, ben.id, 'org:member');
  directory.setMembership(south.id, cem.id, 'org:admin');
  await webhooks.idle();
});
afterAll(() => stack?.close());

const asUser = async (user: ClerkUser, query: string): Promise<Record<string, unknown>> =>
  stack.asUser(await stack.clerk.token(user.id), query);
const codesFor = async (user: ClerkUser, query: string): Promise<string[]> =>
  (await stack.hasura.query(query, { token: await stack.clerk.token(user.id) })).codes;

test('who signed up at Clerk finds their own row, and no other', async () => {
  expect(await asUser(ben, '{ users { id provider email email_verified first_name roles } }')).toEqual({
    users: [
      {
        id: ben.id,
        provider: 'clerk',
        email: 'ben@example.com',
        email_verified: true,
        first_name: 'Ben',
        roles: [],
      },
    ],
  });
});

describe('another user’s row stays out of sight', () => {
  test('when asked for by condition', async () => {
    expect(await asUser(ben, '{ users(where: {email: {_eq: "ada@example.com"}}) { id } }')).toEqual({
      users: [],
    });
    expect(await asUser(ben, '{ users(where: {_not: {id: {_is_null: true}}}, limit: 10) { id } }')).toEqual({
      users: [{ id: ben.id }],
    });
  });

  test('when asked for by primary key', async () => {
    expect(await asUser(ben, `{ users_by_pk(id: "${ada.id}") { id } }`)).toEqual({ users_by_pk: null });
  });

  test('when reached through a relationship', async () => {
    expect(
      await asUser(ada, '{ organization_memberships(order_by: {role: asc}) { user_id user { id } } }'),
    ).toEqual({
      organization_memberships: [
        { user_id: ada.id, user: { id: ada.id } },
        { user_id: ben.id, user: null },
      ],
    });
    expect(await asUser(ben, '{ organizations { memberships { user { id } } } }')).toEqual({
      organizations: [{ memberships: [{ user: { id: ben.id } }] }],
    });
  });

  test('when a condition on a relationship would tell of it', async () => {
    expect(
      await asUser(
        ada,
        '{ organization_memberships(where: {user: {email: {_eq: "ben@example.com"}}}) { role } }',
      ),
    ).toEqual({ organization_memberships: [] });
  });
});

test.each([
  ['counting the rows of all', '{ users_aggregate { aggregate { count } } }'],
  ['a column that is the machinery’s', '{ users { metadata } }'],
  ['a condition on such a column', '{ users(where: {metadata: {_contains: {plan: "pro"}}}) { id } }'],
  ['an order by such a column', '{ users(order_by: {source_updated_at: asc}) { id } }'],
  ['the clock of deletions', '{ users { deleted_at } }'],
  ['the ledger', '{ identity_deliveries { id } }'],
  ['the runs of the reconcile', '{ identity_reconciles { id } }'],
  ['an insert', 'mutation { insert_users_one(object: {id: "user_x"}) { id } }'],
  [
    'an update of the own row',
    'mutation { update_users(where: {}, _set: {email: "x@example.com"}) { affected_rows } }',
  ],
  ['a deletion', 'mutation { delete_users(where: {}) { affected_rows } }'],
  [
    'making oneself a member',
    'mutation { insert_organization_memberships_one(object: {role: "org:admin"}) { role } }',
  ],
  [
    'changing the own role',
    'mutation { update_organization_memberships(where: {}, _set: {role: "org:admin"}) { affected_rows } }',
  ],
  [
    'renaming the own organization',
    'mutation { update_organizations(where: {}, _set: {name: "Mine"}) { affected_rows } }',
  ],
])('a user is refused %s', async (_what, query) => {
  expect(await codesFor(ben, query)).toEqual(['validation-failed']);
});

test('a user’s schema names nothing of schema identity and nothing to write with', async () => {
  const { __schema: schema } = await asUser(ben, '{ __schema { mutationType { name } types { name } } }');
  const { types } = schema as { types: { name: string }[] };
  const names = types.map(({ name }) => name);
  expect(names).toContain('users');
  expect(names.filter((name) => name.startsWith('identity_'))).toEqual([]);
  expect(names.filter((name) => /_(insert|set|mutation)_/.test(name))).toEqual([]);
});

describe('memberships', () => {
  const MEMBERS = '{ organization_memberships(order_by: {role: asc}) { organization_id user_id role } }';

  test('an admin of an organization sees all of them, and none of another organization', async () => {
    expect(await asUser(ada, MEMBERS)).toEqual({
      organization_memberships: [
        { organization_id: north.id, user_id: ada.id, role: 'org:admin' },
        { organization_id: north.id, user_id: ben.id, role: 'org:member' },
      ],
    });
  });

  test('a member sees their own alone', async () => {
    expect(await asUser(ben, MEMBERS)).toEqual({
      organization_memberships: [{ organization_id: north.id, user_id: ben.id, role: 'org:member' }],
    });
  });

  test('what the token says of roles in organizations opens nothing: the rows decide', async () => {
    const token = await stack.clerk.token(ben.id, { organization: { id: north.id, role: 'org:admin' } });
    expect(await stack.asUser(token, MEMBERS)).toEqual({
      organization_memberships: [{ organization_id: north.id, user_id: ben.id, role: 'org:member' }],
    });
  });

  test('an admin who is one no longer sees their own alone', async () => {
    const { directory, webhooks } = stack.clerk;
    directory.setMembership(north.id, ada.id, 'org:member');
    await webhooks.idle();
    expect(await asUser(ada, '{ organization_memberships { user_id } }')).toEqual({
      organization_memberships: [{ user_id: ada.id }],
    });
    directory.setMembership(north.id, ada.id, 'org:admin');
    await webhooks.idle();
  });
});

test('organizations are seen by their members', async () => {
  expect(await asUser(ben, '{ organizations { id name slug } }')).toEqual({
    organizations: [{ id: north.id, name: 'North', slug: 'north' }],
  });
  expect(await asUser(ben, `{ organizations_by_pk(id: "${south.id}") { name } }`)).toEqual({
    organizations_by_pk: null,
  });
});

describe('what Clerk deletes is gone from sight', () => {
  test('a membership, for both who had it and who led it', async () => {
    const { directory, webhooks } = stack.clerk;
    const dee = directory.signUp({ email: 'dee@example.com' });
    directory.setMembership(south.id, dee.id, 'org:member');
    await webhooks.idle();
    expect(await asUser(dee, '{ organizations { name } }')).toEqual({ organizations: [{ name: 'South' }] });

    directory.removeMembership(south.id, dee.id);
    await webhooks.idle();
    expect(await asUser(dee, '{ organizations { name } organization_memberships { role } }')).toEqual({
      organizations: [],
      organization_memberships: [],
    });
    expect(await asUser(cem, '{ organization_memberships { user_id } }')).toEqual({
      organization_memberships: [{ user_id: cem.id }],
    });
  });

  test('a user, whose token shows nothing though it is still good', async () => {
    const { directory, webhooks } = stack.clerk;
    const eve = directory.signUp({ email: 'eve@example.com' });
    directory.setMembership(south.id, eve.id, 'org:admin');
    await webhooks.idle();
    const token = await stack.clerk.token(eve.id);
    directory.deleteUser(eve.id);
    await webhooks.idle();

    expect(
      await stack.asUser(token, '{ users { id } organizations { id } organization_memberships { role } }'),
    ).toEqual({
      users: [],
      organizations: [],
      organization_memberships: [],
    });
    expect(await asUser(cem, '{ organization_memberships { user_id } }')).toEqual({
      organization_memberships: [{ user_id: cem.id }],
    });
    expect(await stack.asAdmin(`{ users_by_pk(id: "${eve.id}") { email first_name deleted_at } }`)).toEqual({
      users_by_pk: { email: null, first_name: null, deleted_at: expect.any(String) },
    });
  });

  test('an organization, with its memberships', async () => {
    const { directory, webhooks } = stack.clerk;
    const fay = directory.signUp({ email: 'fay@example.com' });
    const { id } = directory.createOrganization({ name: 'West' });
    directory.setMembership(id, fay.id, 'org:admin');
    await webhooks.idle();
    directory.deleteOrganization(id);
    await webhooks.idle();
    expect(await asUser(fay, '{ organizations { id } organization_memberships { role } }')).toEqual({
      organizations: [],
      organization_memberships: [],
    });
  });
});
