import { fixture } from '@latchkey/tests/support/clerk';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  event,
  INSTANCE,
  membership,
  ORGANIZATION,
  organization,
  read,
  recordsOf,
  USER,
} from '../../support/clerk-deliveries.ts';

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
