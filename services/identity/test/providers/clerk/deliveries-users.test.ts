import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { event, read, recordsOf, USER } from '../../support/clerk-deliveries.ts';

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
