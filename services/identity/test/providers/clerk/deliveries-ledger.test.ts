import { describe, expect, test } from 'vitest';
import { event, INSTANCE, ORGANIZATION, read, USER } from '../../support/clerk-deliveries.ts';

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
