import { fixture } from '@latchkey/tests/support/clerk';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { clerkDeliveries } from '#providers/clerk/deliveries.ts';

const USER = 'user_2exampleUser000000000001';
const ORGANIZATION = 'org_2exampleOrg0000000000001';

const INSTANCE = 'ins_2exampleInstance0000000001';
const read = (
  body: unknown,
  { instanceId = '', ...times }: { instanceId?: string; receivedAt?: number; sentAt?: number } = {},
) =>
  clerkDeliveries({ instanceId })({
    id: 'msg_1',
    provider: 'clerk',
    receivedAt: 1767225700000,
    ...times,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const event = (name: string): { type: string; timestamp: unknown; data: Record<string, unknown> } =>
  z
    .object({ type: z.string(), timestamp: z.unknown(), data: z.record(z.string(), z.unknown()) })
    .parse(JSON.parse(fixture(name)));
async function recordsOf(...args: Parameters<typeof read>) {
  const reading = await read(...args);
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

  test.each(['user', 'organization', 'organizationMembership'])(
    'of a %s that does not say when is the time of its delivery, and of a replay that of its arrival',
    async (family) => {
      const { timestamp: _, ...deletion } = event(`${family}.deleted.json`);
      const clockOf = async (times: { receivedAt: number; sentAt?: number }) =>
        (await recordsOf(deletion, times)).at(-1);
      const [sentAt, receivedAt] = [1767225690999, 1767225692123];
      expect(await clockOf({ sentAt, receivedAt })).toMatchObject({ clock: sentAt, deleted: true });
      expect(await clockOf({ receivedAt })).toMatchObject({ clock: receivedAt, deleted: true });
      const odd = await recordsOf({ ...deletion, timestamp: 'yesterday' }, { sentAt, receivedAt });
      expect(odd.at(-1)).toMatchObject({ clock: sentAt, deleted: true });
    },
  );
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
      'is found beside one that is odd',
      { email_addresses: [null, { ...other, id: 7 }, primary], primary_email_address_id: 'idn_1' },
      { email: 'ada@example.com' },
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

/** The user of a recorded event, with these changes. */
const userOf = (name: string, changes: object = {}) => {
  const { data } = event(name);
  return {
    ...z
      .object({})
      .loose()
      .parse(data.user ?? data),
    ...changes,
  };
};

describe('a user who is banned or locked', () => {
  const updated = event('user.updated.json');
  const at = (timestamp: number, flags: object) =>
    recordsOf({ ...updated, timestamp, data: userOf('user.updated.json', flags) });

  test.each([{ banned: true }, { locked: true }, { banned: true, locked: true }])(
    'is disabled from the instant of the event on: %o',
    async (flags) => {
      expect(await at(1767225670500, { banned: false, locked: false, ...flags })).toMatchObject([
        { disabledAt: 1767225670500, disabledCheckedAt: 1767225670500, clock: 1767225660000 },
      ]);
    },
  );

  test('and let in again is not, as of the later event; one of that second counts to its end', async () => {
    expect(await at(1767225680, { banned: false, locked: false })).toMatchObject([
      { disabledAt: null, disabledCheckedAt: 1767225680999 },
    ]);
  });

  test('is neither where Clerk says nothing of it', async () => {
    expect(await at(1767225680500, { banned: undefined, locked: 'no' })).toMatchObject([
      { disabledAt: null, disabledCheckedAt: 0 },
    ]);
  });
});

describe('a session', () => {
  const session = (name: string, flags: object, changes: object = {}) => {
    const { data, ...rest } = event(name);
    return recordsOf({ ...rest, data: { ...data, ...changes, user: userOf(name, flags) } });
  };

  test('without its user still tells when that user was seen', async () => {
    const data = { user_id: 'user_1', last_active_at: 1767225650000, user: null };
    expect(await recordsOf({ type: 'session.ended', data })).toMatchObject([
      { kind: 'user', id: 'user_1', clock: 0, lastSeen: 1767225650000 },
    ]);
  });

  test('that was just created shows that its user was let in then', async () => {
    expect(await session('session.created.json', { banned: false, locked: false })).toMatchObject([
      { disabledAt: null, disabledCheckedAt: 1767225650000 },
    ]);
  });

  test.each<[string, string, object, object?]>([
    ['that was revoked', 'session.revoked.json', { banned: false }],
    ['of somebody who acts in the user’s place', 'session.created.json', {}, { actor: { sub: 'user_2' } }],
    ['of somebody who was banned meanwhile', 'session.created.json', { banned: true }],
  ])('%s says of it only what held when its profile was written', async (_what, name, flags, changes) => {
    const disabledAt = 'banned' in flags && flags.banned === true ? 1767225601000 : null;
    expect(await session(name, flags, changes)).toMatchObject([
      { disabledAt, disabledCheckedAt: 1767225601000, clock: 1767225601000 },
    ]);
  });

  test('that embeds another user than its own is malformed', async () => {
    const { data, ...rest } = event('session.created.json');
    const user = userOf('session.created.json', { id: 'user_somebody_else' });
    expect(await read({ ...rest, data: { ...data, user } })).toMatchObject({
      kind: 'malformed',
      subject: USER,
      reason: 'Missing or of the wrong kind: user.id.',
    });
  });
});

describe('the instance', () => {
  test('is the tenant of what is told', async () => {
    expect(await read(fixture('user.created.json'))).toMatchObject({ tenant: INSTANCE });
    const { instance_id: _, ...unnamed } = z.object({}).loose().parse(event('user.created.json'));
    expect(await read(unnamed)).toMatchObject({ tenant: '' });
    expect(await read(unnamed, { instanceId: INSTANCE })).toMatchObject({ tenant: INSTANCE });
  });

  test.each(['user.created', 'user.deleted', 'organizationMembership.created', 'session.created'])(
    'of a %s that is another than CLERK_INSTANCE_ID makes it dead, with the reason',
    async (type) => {
      const other = { instanceId: 'ins_another' };
      expect(await read(fixture(`${type}.json`), other)).toMatchObject({
        kind: 'malformed',
        type,
        tenant: '',
        reason: `It is of the instance ${INSTANCE}, and CLERK_INSTANCE_ID is ins_another: take the endpoint out there, or correct that.`,
      });
    },
  );
});

test('a membership whose organization came without its state brings only itself', async () => {
  const created = event('organizationMembership.created.json');
  const data = { ...created.data, organization: { id: ORGANIZATION } };
  expect(await recordsOf({ ...created, data })).toMatchObject([{ kind: 'membership' }]);
});

describe('of private metadata nothing is kept', () => {
  const notes = { private_metadata: { token: 'secret' } };
  const created = event('user.created.json');
  const membership = event('organizationMembership.created.json');
  const organization = { id: ORGANIZATION, name: 'Example Org', ...notes };

  test.each<[string, unknown]>([
    ['of a user', { ...created, data: { ...created.data, ...notes } }],
    [
      'of the user in a session',
      { ...event('session.created.json'), data: { user_id: USER, ...notes, user: { id: USER, ...notes } } },
    ],
    [
      'of a membership’s organization',
      { ...membership, data: { ...membership.data, organization, ...notes } },
    ],
    ['deep within', { ...created, data: { ...created.data, a: [{ b: [organization] }], ...notes } }],
    ['beside the data', { ...created, ...notes }],
    ['without a type', { ...created, type: undefined, data: { ...created.data, ...notes } }],
    ['with a type of another kind', { ...created, type: 7, data: { ...created.data, ...notes } }],
    ['in an array for the data', { ...created, data: [{ ...created.data, ...notes }] }],
    ['in an array for the body', [{ ...created, data: { ...created.data, ...notes } }]],
    ['of a user without an id', { ...created, data: { ...notes, updated_at: 1 } }],
    ['of a user without a clock', { ...created, data: { id: USER, ...notes } }],
    ['that is no object', { ...created, data: { ...created.data, private_metadata: ['secret'] } }],
    ['of another instance', { ...created, data: { ...created.data, ...notes }, instance_id: 'ins_other' }],
  ])('%s', async (_what, body) => {
    const reading = await read(body, { instanceId: INSTANCE });
    expect(JSON.stringify(reading)).not.toContain('secret');
    expect(JSON.stringify('payload' in reading ? reading.payload : null)).not.toContain('token');
  });

  test.each([
    [
      'written with escapes',
      '{"data":{"id":"u","p\\u0072ivate_metadata":{"token":"secret"}},"type":"user.updated"}',
    ],
    [
      'written twice',
      '{"data":{"private_metadata":{"token":"secret"},"private_metadata":{}},"type":"user.updated"}',
    ],
    ['in a body that breaks off', '{"type":"user.created","data":{"private_metadata":{"token":"secret"}'],
    ['nested too deeply', `{"data":${'['.repeat(70)}{"private_metadata":"secret"}${']'.repeat(70)}}`],
  ])('%s', async (_what, body) => {
    const reading = await read(body);
    const kept = 'payload' in reading ? reading.payload : null;
    expect(
      typeof kept === 'object' && kept !== null && 'text' in kept ? kept.text : JSON.stringify(kept),
    ).not.toContain('secret');
  });

  test('nor of what does not say what it is, for it may be a message with a one-time password', async () => {
    const { type: _, ...mail } = { type: '', data: { object: 'email', body: 'Your code is 424242' } };
    expect(await read(mail)).toMatchObject({ kind: 'malformed', payload: null });
    expect(await read({ type: 'email.created', data: ['424242'] })).toEqual({
      kind: 'ignored',
      type: 'email.created',
      subject: null,
    });
  });

  test('what else a body without a type says stays there to be looked at', async () => {
    const { type: _, ...typeless } = created;
    expect(await read({ ...typeless, data: { ...created.data, ...notes } })).toMatchObject({
      kind: 'malformed',
      reason: 'Missing or of the wrong kind: type.',
      payload: { data: { id: USER, first_name: 'Ada' } },
    });
  });
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
