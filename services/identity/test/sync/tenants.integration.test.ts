import { type EmbeddedProject, startEmbedded } from '@latchkey/tests/support/embedded';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  deletedOrganization,
  deletedUser,
  type IdentityRecord,
  type MembershipRecord,
  type ProviderName,
  stubOrganization,
  stubUser,
  type UserRecord,
} from '#core/records.ts';
import { createHasuraClient, type HasuraClient } from '#hasura/client.ts';
import { createWriter, type Writer } from '#sync/writer.ts';

// On a real engine and database, for it is the database that says whose an id is.

let project: EmbeddedProject;
let engine: HasuraClient;
let writer: Writer;
beforeAll(async () => {
  project = await startEmbedded();
  engine = createHasuraClient(project.config);
  writer = createWriter(engine, { inFlight: 2, queueLimit: 1000 });
});
afterAll(async () => {
  await writer.close();
  await project.close();
});
beforeEach(() =>
  project.database.query('TRUNCATE public.users, public.organizations, identity.deliveries CASCADE'),
);

let deliveries = 0;
interface Place {
  provider?: ProviderName;
  tenant?: string;
}
const user = (id: string, { provider = 'casdoor', tenant = 'acme' }: Place = {}): UserRecord => ({
  ...stubUser({ provider, tenant, id }),
  clock: 1_000_000,
  name: `${id} of ${tenant}`,
});
const organization = (id: string, { provider = 'casdoor', tenant = 'acme' }: Place = {}): IdentityRecord => ({
  ...stubOrganization({ provider, tenant, id }),
  clock: 1_000_000,
  name: id,
});
const membership = (
  organizationId: string,
  userId: string,
  changes: Partial<MembershipRecord> = {},
): MembershipRecord => ({
  kind: 'membership',
  provider: 'casdoor',
  tenant: 'acme',
  organizationId,
  userId,
  clock: 1_000_000,
  deleted: false,
  sourceCreatedAt: null,
  role: 'org:member',
  ...changes,
});
const deliver = async (subject: string, records: IdentityRecord[], tenant = 'acme', payload = 'p') => {
  deliveries += 1;
  const entry = {
    id: `d${deliveries}`,
    provider: 'casdoor',
    tenant,
    type: 'update-user',
    subject,
    payload,
    bytes: 1,
    receivedAt: 0,
    status: 'applied',
    error: null,
  } as const;
  const { status, error } = await writer.writeDelivery(entry, records);
  return { status, error };
};
const users = () =>
  project.database.query(
    'SELECT id, provider, tenant, name, deleted_at IS NOT NULL AS deleted FROM public.users ORDER BY id',
  );
const members = () =>
  project.database.query(
    `SELECT organization_id || ' ' || user_id AS key, role FROM public.organization_memberships
      WHERE deleted_at IS NULL ORDER BY 1`,
  );

describe('what is refused of a delivery', () => {
  test('is all of it where it is about somebody whose id is taken, ended memberships too', async () => {
    await writer.write([user('bob'), membership('acme', 'bob', { role: 'org:admin' })]);
    const beta = { tenant: 'beta' };
    const before = [await users(), await members()];
    expect(
      await deliver(
        'bob',
        [
          user('bob', beta),
          organization('beta', beta),
          membership('beta', 'bob', beta),
          membership('acme', 'bob', { deleted: true, role: null, clock: 2_000_000 }),
        ],
        'beta',
      ),
    ).toEqual({
      status: 'dead',
      error: expect.stringContaining('users belongs to casdoor acme, not to beta'),
    });
    expect([await users(), await members()]).toEqual(before);
  });

  test('is only the organization that is somebody else’s, and the user’s own changes come in', async () => {
    await writer.write([organization('org_2abc', { provider: 'clerk', tenant: '' })]);
    await writer.write([user('bob'), membership('acme', 'bob', { role: 'org:admin' })]);
    const demoted = [
      { ...user('bob'), clock: 2_000_000, name: 'Bob' },
      membership('acme', 'bob', { clock: 2_000_000 }),
      membership('acme/staff', 'bob', { clock: 2_000_000 }),
      membership('org_2abc', 'bob', { clock: 2_000_000 }),
    ];
    expect(await deliver('bob', demoted)).toEqual({
      status: 'applied',
      error: expect.stringMatching(/^Left out: .*organizations belongs to provider clerk, not to casdoor/),
    });
    expect(await members()).toEqual([
      { key: 'acme bob', role: 'org:member' },
      { key: 'acme/staff bob', role: 'org:member' },
    ]);
    expect(await users()).toMatchObject([{ id: 'bob', name: 'Bob' }]);
    expect(
      await project.database.query("SELECT status, error LIKE 'Left out%' AS told FROM identity.deliveries"),
    ).toEqual([{ status: 'applied', told: true }]);
  });

  test('is nothing of what came along in its batch', async () => {
    await writer.write([user('bob')]);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        index === 7
          ? deliver('bob', [user('bob', { tenant: 'beta' })], 'beta')
          : deliver(`u${index}`, [user(`u${index}`)]),
      ),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(
      outcomes.map((_, index) => (index === 7 ? 'dead' : 'applied')),
    );
    expect(await users()).toHaveLength(20);
  });
});

describe('a deletion only over a row of its own', () => {
  const gone = (id: string, tenant: string, provider: ProviderName = 'casdoor') =>
    deletedUser({ provider, tenant, id }, 3_000_000, { onlyIfStored: true });

  test('leaves nothing where there is none, so that whoever comes later is not kept out', async () => {
    expect(await deliver('user_FUTURE1', [gone('user_FUTURE1', 'beta')], 'beta')).toMatchObject({
      status: 'applied',
    });
    const records = [
      deletedOrganization({ provider: 'casdoor', tenant: 'org_FUTURE', id: 'org_FUTURE' }, 3_000_000, {
        onlyIfStored: true,
      }),
    ];
    await writer.write(records);
    expect(await users()).toEqual([]);
    expect(await project.database.query('SELECT id FROM public.organizations')).toEqual([]);
    await writer.write([user('user_FUTURE1', { provider: 'clerk', tenant: 'ins_1' })]);
    expect(await users()).toMatchObject([{ provider: 'clerk', tenant: 'ins_1', deleted: false }]);
  });

  test('touches nobody of another tenant or provider, and erases nothing of theirs', async () => {
    await deliver('bob', [user('bob')], 'acme', 'of bob');
    await writer.write([gone('bob', 'beta')]);
    await writer.write([gone('bob', '?')]);
    await writer.write([gone('bob', '', 'clerk')]);
    expect(await users()).toMatchObject([{ name: 'bob of acme', deleted: false }]);
    expect(await project.database.query('SELECT payload FROM identity.deliveries')).toEqual([
      { payload: 'of bob' },
    ]);
  });

  test('ends its own, with nothing personal left, and the payloads of before', async () => {
    await deliver('bob', [user('bob')], 'acme', 'of bob');
    await writer.write([gone('bob', 'acme')]);
    expect(await users()).toEqual([
      { id: 'bob', provider: 'casdoor', tenant: 'acme', name: null, deleted: true },
    ]);
    expect(await project.database.query('SELECT payload FROM identity.deliveries')).toEqual([
      { payload: null },
    ]);
  });

  test('that is older than the row changes nothing', async () => {
    await writer.write([{ ...user('bob'), clock: 4_000_000 }]);
    await writer.write([gone('bob', 'acme')]);
    expect(await users()).toMatchObject([{ deleted: false }]);
  });
});

test('a move takes the row along, and what is left of the old place is written too', async () => {
  await writer.write([user('bob'), membership('acme', 'bob'), membership('acme/staff', 'bob')]);
  const beta = { tenant: 'beta' };
  await writer.write([
    { ...user('bob', beta), clock: 2_000_000, previousTenant: 'acme' },
    membership('beta', 'bob', { ...beta, clock: 2_000_000 }),
    membership('acme', 'bob', { deleted: true, role: null, clock: 2_000_000 }),
    membership('acme/staff', 'bob', { deleted: true, role: null, clock: 2_000_000 }),
  ]);
  expect(await users()).toMatchObject([{ tenant: 'beta', name: 'bob of beta' }]);
  expect(await members()).toMatchObject([{ key: 'beta bob' }]);
});
