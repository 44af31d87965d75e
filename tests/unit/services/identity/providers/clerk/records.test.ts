import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { clerkRecords } from '../../../../../../services/identity/providers/clerk/records.ts';
import { fixture } from '../../../../../support/clerk.ts';

const USER = 'user_2exampleUser000000000001';
const ORGANIZATION = 'org_2exampleOrg0000000000001';

const INSTANCE = 'ins_2exampleInstance0000000001';
const read = (body: unknown) =>
  clerkRecords({ instanceId: '' })({
    id: 'msg_1',
    provider: 'clerk',
    receivedAt: 1,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const event = (name: string): { type: string; timestamp: unknown; data: Record<string, unknown> } =>
  z
    .object({ type: z.string(), timestamp: z.unknown(), data: z.record(z.string(), z.unknown()) })
    .parse(JSON.parse(fixture(name)));
async function recordsOf(body: unknown) {
  const reading = await read(body);
  if (reading.kind !== 'records') throw new Error(`${reading.kind}: ${JSON.stringify(reading)}`);
  return reading.records;
}

const ada = {
  kind: 'user',
  provider: 'clerk',
  tenant: INSTANCE,
  id: USER,
  clock: 1767225601000,
  deleted: false,
  disabledAt: null,
  sourceCreatedAt: 1767225600000,
  lastSeen: 1767225600000,
  email: 'ada@example.com',
  emailVerified: true,
  phone: null,
  username: null,
  name: 'Ada Example',
  firstName: 'Ada',
  lastName: 'Example',
  imageUrl: 'https://img.clerk.com/example',
  roles: [],
  metadata: {},
};
const organization = {
  kind: 'organization',
  provider: 'clerk',
  tenant: INSTANCE,
  id: ORGANIZATION,
  clock: 1767225610000,
  deleted: false,
  sourceCreatedAt: 1767225610000,
  name: 'Example Org',
  slug: 'example-org',
  imageUrl: 'https://img.clerk.com/exampleorg',
  metadata: {},
};
const membership = {
  kind: 'membership',
  provider: 'clerk',
  tenant: INSTANCE,
  organizationId: ORGANIZATION,
  userId: USER,
  clock: 1767225630000,
  deleted: false,
  sourceCreatedAt: 1767225620000,
  role: 'org:admin',
};

describe('the recorded payload', () => {
  test.each<[string, string, unknown[]]>([
    ['user.created', USER, [ada]],
    [
      'user.updated',
      USER,
      [
        {
          ...ada,
          clock: 1767225660000,
          lastSeen: 1767225650000,
          name: 'Augusta Example',
          firstName: 'Augusta',
          metadata: { role: 'editor' },
        },
      ],
    ],
    ['organization.created', ORGANIZATION, [organization]],
    [
      'organization.updated',
      ORGANIZATION,
      [{ ...organization, clock: 1767225670000, name: 'Example Org Renamed' }],
    ],
    [
      'organizationMembership.created',
      USER,
      [organization, { ...membership, clock: 1767225620000, role: 'org:member' }],
    ],
    ['organizationMembership.updated', USER, [organization, membership]],
    [
      'organizationMembership.deleted',
      USER,
      [organization, { ...membership, clock: 1767225692000, deleted: true, role: null }],
    ],
    ['session.created', USER, [{ ...ada, lastSeen: 1767225650000 }]],
    ['session.revoked', USER, [{ ...ada, lastSeen: 1767225650000 }]],
  ])('%s', async (type, subject, records) => {
    expect(await read(fixture(`${type}.json`))).toMatchObject({ kind: 'records', type, subject, records });
  });

  test('user.deleted leaves nothing personal', async () => {
    const [record] = await recordsOf(fixture('user.deleted.json'));
    expect(record).toEqual({
      ...ada,
      clock: 1767225690000,
      deleted: true,
      disabledCheckedAt: 0,
      sourceCreatedAt: null,
      lastSeen: 0,
      email: null,
      emailVerified: false,
      name: null,
      firstName: null,
      lastName: null,
      imageUrl: null,
    });
  });

  test('organization.deleted leaves only the id', async () => {
    expect(await recordsOf(fixture('organization.deleted.json'))).toEqual([
      {
        ...organization,
        clock: 1767225695000,
        deleted: true,
        sourceCreatedAt: null,
        name: null,
        slug: null,
        imageUrl: null,
      },
    ]);
  });
});

describe('events that are not kept in step', () => {
  const { types } = z
    .object({ types: z.array(z.string()) })
    .parse(JSON.parse(fixture('webhook-event-types.json')));
  const others = types.filter((type) => !/^(user|session|organization|organizationMembership)\./.test(type));

  test.each([...others, 'something.new'])('%s is ignored, and its payload not kept', async (type) => {
    const body = { type, timestamp: 1, data: { id: 'any_1', otp_code: '424242' } };
    expect(await read(body)).toEqual({ kind: 'ignored', type, subject: 'any_1' });
  });

  test.each(['organizationInvitation.accepted', 'permission.created', 'role.created'])(
    'as recorded, %s',
    async (type) => {
      expect((await read(fixture(`${type}.json`))).kind).toBe('ignored');
    },
  );
});

describe('the clock of a deletion', () => {
  test('given in seconds is the end of that second, so that it outlives an update within it', async () => {
    const deletion = { ...event('user.deleted.json'), timestamp: 1767225690 };
    expect(await recordsOf(deletion)).toMatchObject([{ clock: 1767225690999, deleted: true }]);
  });

  test('is required', async () => {
    const { timestamp: _, ...deletion } = event('user.deleted.json');
    expect(await read(deletion)).toMatchObject({
      kind: 'malformed',
      reason: expect.stringContaining('timestamp'),
    });
  });
});

describe('an e-mail address', () => {
  const created = event('user.created.json');
  const user = (changes: object) => ({ ...created, data: { ...created.data, ...changes } });
  const other = { id: 'idn_other', email_address: 'other@example.com', verification: { status: 'verified' } };
  const primary = { id: 'idn_1', email_address: 'ada@example.com', verification: { status: 'unverified' } };

  test.each<[string, object, object]>([
    [
      'is the primary one, not the first',
      { email_addresses: [other, primary], primary_email_address_id: 'idn_1' },
      { email: 'ada@example.com', emailVerified: false },
    ],
    [
      'is none where none is primary',
      { email_addresses: [other], primary_email_address_id: null },
      { email: null, emailVerified: false },
    ],
    [
      'is none where the primary one is not listed',
      { email_addresses: [other], primary_email_address_id: 'idn_gone' },
      { email: null, emailVerified: false },
    ],
    [
      'without a verification is unverified',
      { email_addresses: [{ ...primary, verification: null }], primary_email_address_id: 'idn_1' },
      { email: 'ada@example.com', emailVerified: false },
    ],
    [
      'is none where it is longer than an address can be',
      {
        email_addresses: [{ ...other, email_address: `${'x'.repeat(4000)}@example.com` }],
        primary_email_address_id: 'idn_other',
      },
      { email: null, emailVerified: false },
    ],
  ])('%s', async (_what, changes, expected) => {
    expect(await recordsOf(user(changes))).toMatchObject([expected]);
  });
});

describe('a user', () => {
  test('needs an id and a clock, and nothing else', async () => {
    const bare = { type: 'user.updated', data: { id: 'user_1', updated_at: 1767225600123 } };
    expect(await recordsOf(bare)).toMatchObject([
      { id: 'user_1', clock: 1767225600123, email: null, metadata: {} },
    ]);
  });

  test('who was never seen was seen when created', async () => {
    const data = { id: 'user_1', updated_at: 1767225609000, created_at: 1767225600000, last_active_at: null };
    expect(await recordsOf({ type: 'user.created', data })).toMatchObject([{ lastSeen: 1767225600000 }]);
  });

  test('with fields of the wrong kind keeps the others', async () => {
    const data = {
      id: 'user_1',
      updated_at: 1767225600123,
      first_name: 7,
      last_name: 'B',
      public_metadata: [1],
    };
    expect(await recordsOf({ type: 'user.updated', data })).toMatchObject([
      { firstName: null, lastName: 'B', name: 'B', metadata: {} },
    ]);
  });

  test.each([
    [{ updated_at: 1767225600123 }, 'id'],
    [{ id: '', updated_at: 1767225600123 }, 'id'],
    [{ id: 'x'.repeat(256), updated_at: 1767225600123 }, 'id'],
    [{ id: 'user_1' }, 'updated_at'],
    [{ id: 'user_1', updated_at: 'yesterday' }, 'updated_at'],
  ])('%# that lacks what is needed is malformed', async (data, field) => {
    expect(await read({ type: 'user.updated', data })).toMatchObject({
      kind: 'malformed',
      type: 'user.updated',
      reason: `Missing or of the wrong kind: ${field}.`,
    });
  });
});

describe('a session', () => {
  test('without its user still tells when that user was seen', async () => {
    const data = { user_id: 'user_1', last_active_at: 1767225650000, user: null };
    expect(await recordsOf({ type: 'session.ended', data })).toMatchObject([
      { kind: 'user', id: 'user_1', clock: 0, lastSeen: 1767225650000 },
    ]);
  });
});

test('a membership whose organization came without its state brings only itself', async () => {
  const created = event('organizationMembership.created.json');
  const data = { ...created.data, organization: { id: ORGANIZATION } };
  expect(await recordsOf({ ...created, data })).toMatchObject([{ kind: 'membership' }]);
});

test('private metadata is not kept in the ledger', async () => {
  const created = event('session.created.json');
  const user = { ...z.object({}).loose().parse(created.data.user), private_metadata: { token: 'secret' } };
  const reading = await read({
    ...created,
    data: { ...created.data, user, private_metadata: { token: 'secret' } },
  });
  expect(JSON.stringify(reading)).not.toContain('secret');
});

test('the ledger keeps the very text of an event, and its value where something is taken out of it', async () => {
  const created = event('user.created.json');
  const body = JSON.stringify(created, null, 1);
  expect(await read(created)).toMatchObject({ payload: { text: JSON.stringify(created) } });
  expect(await read(body)).toMatchObject({ payload: { text: body } });

  const noted = { ...created, data: { ...created.data, private_metadata: { token: 'secret' } } };
  const { private_metadata: _, ...data } = noted.data;
  expect(await read(noted)).toMatchObject({ payload: { ...noted, data } });
  expect(await read(noted)).not.toHaveProperty('payload.text');
});

test.each(['', '{"type":', 'null', '[]', '7', '{"type":7,"data":{}}', '{"type":"user.created","data":[]}'])(
  'the body %s is malformed',
  async (body) => {
    expect(await read(body)).toMatchObject({ kind: 'malformed', type: 'unknown', subject: null });
  },
);

test('what is said of a malformed body names fields and no values', async () => {
  const reading = await read({ type: 'user.created', data: { id: 7, email: 'ada@example.com' } });
  expect(reading).toMatchObject({
    kind: 'malformed',
    reason: 'Missing or of the wrong kind: id, updated_at.',
  });
});
