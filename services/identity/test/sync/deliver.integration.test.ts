import { fixture } from '@latchkey/tests/support/clerk';
import { type EmbeddedProject, startEmbedded } from '@latchkey/tests/support/embedded';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createHasuraClient, type HasuraClient } from '#hasura/client.ts';
import { createClerk } from '#providers/clerk/index.ts';
import { deliver } from '#sync/deliver.ts';
import { createWriter, type Writer } from '#sync/writer.ts';
import { CONFIG } from '../support/clerk.ts';

const USER = 'user_2exampleUser000000000001';
const clerk = createClerk(CONFIG);

let project: EmbeddedProject;
let engine: HasuraClient;
let writer: Writer;
beforeAll(async () => {
  project = await startEmbedded();
  engine = createHasuraClient(project.config);
});
afterAll(() => project.close());
beforeEach(async () => {
  await project.database.query('TRUNCATE public.users, public.organizations, identity.deliveries CASCADE');
  writer = createWriter(engine, { inFlight: 1, queueLimit: 10_000 });
});

const send = (body: string, id: string, to: Writer = writer) =>
  deliver(clerk.webhooks, to, { id, provider: 'clerk', body, receivedAt: Date.now() });
const userEvent = (id: string, clock: number, changes: object = {}) =>
  JSON.stringify({ type: 'user.updated', data: { id, updated_at: clock, ...changes } });
const ledger = () =>
  project.database.query(
    'SELECT id, type, subject, payload, status, attempts, error FROM identity.deliveries ORDER BY id',
  );

/** Everything the provider told, and nothing of when we were told it. */
const STATE = `
  SELECT jsonb_build_object(
    'users', (SELECT jsonb_agg(to_jsonb(u) - '{created_at,updated_at}'::text[] ORDER BY u.id) FROM public.users u),
    'organizations',
      (SELECT jsonb_agg(to_jsonb(o) - '{created_at,updated_at}'::text[] ORDER BY o.id) FROM public.organizations o),
    'memberships',
      (SELECT jsonb_agg(to_jsonb(m) - '{created_at,updated_at}'::text[] ORDER BY m.user_id)
         FROM public.organization_memberships m)) AS state`;
const state = async () => (await project.database.query(STATE))[0]?.state;

/** In the order in which they happened. */
const HISTORY = [
  'user.created',
  'organization.created',
  'organizationMembership.created',
  'organizationMembership.updated',
  'session.created',
  'user.updated',
  'organization.updated',
  'session.revoked',
];

describe('the recorded history', () => {
  const orders = [
    HISTORY,
    HISTORY.toReversed(),
    HISTORY.toSorted(),
    [...HISTORY.slice(3), ...HISTORY.slice(0, 3), ...HISTORY],
  ];
  const expected = {
    users: [
      expect.objectContaining({
        id: USER,
        provider: 'clerk',
        email: 'ada@example.com',
        email_verified: true,
        name: 'Augusta Example',
        roles: [],
        metadata: { role: 'editor' },
        last_seen: '2026-01-01T00:00:50+00:00',
        source_created_at: '2026-01-01T00:00:00+00:00',
        source_updated_at: '2026-01-01T00:01:00+00:00',
        deleted_at: null,
      }),
    ],
    organizations: [expect.objectContaining({ name: 'Example Org Renamed', slug: 'example-org' })],
    memberships: [expect.objectContaining({ user_id: USER, role: 'org:admin', deleted_at: null })],
  };

  test.each(orders)('one by one in the order %s… ends in the same rows', async (...order) => {
    for (const [index, name] of order.entries()) await send(fixture(`${name}.json`), `msg_${index}`);
    expect(await state()).toEqual(expected);
  });

  test.each(orders)('all at once in the order %s… ends in the same rows', async (...order) => {
    await Promise.all(order.map((name, index) => send(fixture(`${name}.json`), `msg_${index}`)));
    expect(await state()).toEqual(expected);
    expect(await ledger()).toHaveLength(order.length);
  });
});

describe('a delivery that was settled', () => {
  test('changes nothing when it comes again', async () => {
    await send(fixture('user.created.json'), 'msg_1');
    const before = [await ledger(), await project.database.query('SELECT * FROM public.users')];
    expect(await send(fixture('user.created.json'), 'msg_1')).toMatchObject({ status: 'applied' });
    expect([await ledger(), await project.database.query('SELECT * FROM public.users')]).toEqual(before);
    expect(before[0]).toMatchObject([
      { status: 'applied', attempts: 1, type: 'user.created', subject: USER },
    ]);
  });

  test('as ignored changes nothing when it comes again', async () => {
    for (const _time of [1, 2]) await send('{"type":"sms.created","data":{"otp_code":"424242"}}', 'msg_1');
    expect(await ledger()).toMatchObject([{ status: 'ignored', attempts: 1, payload: null }]);
  });

  test('as dead is tried again, counted, and may be applied after all', async () => {
    for (const _time of [1, 2]) await send('{"type":', 'msg_1');
    expect(await ledger()).toMatchObject([{ status: 'dead', attempts: 2, payload: null, subject: null }]);
    await send(fixture('user.created.json'), 'msg_1');
    expect(await ledger()).toMatchObject([
      { status: 'applied', attempts: 3, error: null, type: 'user.created', subject: USER },
    ]);
  });
});

describe('what the database refuses', () => {
  test('is dead, and everything that came along is committed', async () => {
    await project.database.query(
      "INSERT INTO public.users (id, provider, source_updated_at) VALUES ('user_7', 'casdoor', now())",
    );
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        send(userEvent(`user_${index}`, 1767225600000), `msg_${index}`),
      ),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(
      outcomes.map((_, index) => (index === 7 ? 'dead' : 'applied')),
    );
    expect(outcomes[7]?.error).toContain('belongs to provider casdoor');
    expect(await project.database.query("SELECT id FROM public.users WHERE provider = 'clerk'")).toHaveLength(
      19,
    );
    expect(
      await project.database.query("SELECT status FROM identity.deliveries WHERE status = 'applied'"),
    ).toHaveLength(19);
    expect(
      await project.database.query(
        "SELECT id, payload->>'type' AS type FROM identity.deliveries WHERE status = 'dead'",
      ),
    ).toEqual([{ id: 'msg_7', type: 'user.updated' }]);
  });
});

test('odd characters are replaced, and cost nobody their row', async () => {
  const odd = 'a\u0000b\ud83dc';
  const outcomes = await Promise.all([
    send(userEvent('user_1', 1767225600000, { first_name: odd, public_metadata: { [odd]: odd } }), 'msg_1'),
    send(`{"broken": "${odd}`, 'msg_2'),
    send(userEvent('user_3', 1767225600000, { first_name: '"; DROP TABLE users; --' }), 'msg_3'),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['applied', 'dead', 'applied']);
  expect(await project.database.query('SELECT first_name, metadata FROM public.users ORDER BY id')).toEqual([
    { first_name: 'a\uFFFDb\uFFFDc', metadata: { 'a\uFFFDb\uFFFDc': 'a\uFFFDb\uFFFDc' } },
    { first_name: '"; DROP TABLE users; --', metadata: {} },
  ]);
});

test('a membership before its user and organization waits for them as their stub’s child', async () => {
  const { organization, ...rest } = JSON.parse(fixture('organizationMembership.created.json')).data;
  const body = JSON.stringify({
    type: 'organizationMembership.created',
    data: { ...rest, organization: { id: organization.id } },
  });
  await send(body, 'msg_1');
  expect(await state()).toMatchObject({
    users: [{ id: USER, email: null, source_updated_at: '1970-01-01T00:00:00+00:00' }],
    organizations: [{ name: null, source_updated_at: '1970-01-01T00:00:00+00:00' }],
    memberships: [{ role: 'org:member' }],
  });
  await send(fixture('user.created.json'), 'msg_2');
  await send(fixture('organization.created.json'), 'msg_3');
  expect(await state()).toMatchObject({
    users: [{ email: 'ada@example.com', last_seen: '2026-01-01T00:00:00+00:00' }],
    organizations: [{ name: 'Example Org' }],
  });
});

test('the deletion of a user erases what the ledger held of them, and of nobody else', async () => {
  for (const [index, name] of HISTORY.entries()) await send(fixture(`${name}.json`), `msg_${index}`);
  await send(userEvent('user_other', 1767225600000), 'msg_other');
  await send(fixture('user.deleted.json'), 'msg_deleted');

  expect(await state()).toMatchObject({ users: [{ id: USER, email: null, name: null, metadata: {} }, {}] });
  const rows = await ledger();
  expect(rows.filter(({ subject }) => subject === USER)).toHaveLength(7);
  for (const { subject, payload, status } of rows) {
    expect(status).toBe('applied');
    expect(payload === null).toBe(subject === USER);
  }
});

test('two services with several mutations under way each end in the newest state, with no failure', async () => {
  const writers = [1, 2].map(() => createWriter(engine, { inFlight: 4, queueLimit: 10_000 }));
  const users = Array.from({ length: 25 }, (_, index) => `user_${index}`);
  const start = 1767225600000;
  const deliveries = users.flatMap((id, index) =>
    Array.from({ length: 16 }, (_, step) => {
      // Another order of clocks for each user.
      const clock = start + ((step * 7 + index) % 16);
      return { body: userEvent(id, clock, { first_name: `at ${clock - start}` }), id: `msg_${id}_${clock}` };
    }),
  );
  const outcomes = await Promise.all(
    deliveries.flatMap(({ body, id }) => writers.map((to) => send(body, id, to))),
  );
  expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['applied']));
  expect(await project.database.query('SELECT DISTINCT first_name FROM public.users')).toEqual([
    { first_name: 'at 15' },
  ]);
  expect(await ledger()).toHaveLength(deliveries.length);
});

describe('an engine that cannot serve', () => {
  test('for a wrong secret says so', async () => {
    const stranger = createHasuraClient({ ...project.config, adminSecret: 'wrong' });
    const failure = expect.objectContaining({
      code: 'engine-refused',
      message: expect.stringContaining('HASURA_GRAPHQL_ADMIN_SECRET'),
    });
    await expect(stranger.checkTables()).rejects.toThrow(failure);
    const other = createWriter(stranger, { inFlight: 1, queueLimit: 10 });
    await expect(send(fixture('user.created.json'), 'msg_1', other)).rejects.toThrow(failure);
    await expect(engine.checkTables()).resolves.toBeDefined();
  });

  test('for want of tables says so', async () => {
    const bare = await startEmbedded({ bare: true });
    try {
      await expect(createHasuraClient(bare.config).checkTables()).rejects.toThrow(
        expect.objectContaining({
          code: 'engine-refused',
          message: expect.stringContaining('latchkey apply'),
        }),
      );
    } finally {
      await bare.close();
    }
  });
});
