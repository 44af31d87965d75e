import { type Message, newMessage } from '@latchkey/local/stand-ins/clerk';
import { Webhook } from 'svix';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack?.close());

const user = async (id: string): Promise<unknown> =>
  (
    await stack.asAdmin(
      'query ($id: String!) { users_by_pk(id: $id) { id first_name last_seen deleted_at } }',
      { id },
    )
  ).users_by_pk;
const delivery = async ({ id }: Message): Promise<unknown> =>
  (
    await stack.asAdmin(
      'query ($id: String!) { identity_deliveries_by_pk(id: $id) { type status subject } }',
      { id },
    )
  ).identity_deliveries_by_pk;
const signUp = (firstName: string) =>
  stack.change(() =>
    stack.clerk.directory.signUp({ email: `${firstName.toLowerCase()}@example.com`, firstName }),
  );

test('a delivery that comes twice is answered alike, and nothing is counted or changed twice', async () => {
  const { result, message } = signUp('Ada');
  const first = await stack.clerk.webhooks.post(message);
  const before = await user(result.id);
  const second = await stack.clerk.webhooks.post(message);
  expect([first.ok, second.status]).toEqual([true, first.status]);
  expect(await user(result.id)).toEqual(before);
  expect(await delivery(message)).toEqual({ type: 'user.created', status: 'applied', subject: result.id });
});

test('of several states of a user the newest stays, in whatever order they come', async () => {
  const { result, message } = signUp('Ben');
  const states = ['Benny', 'Benjamin', 'Benno', 'Ben the Great'].map((firstName) =>
    stack.change(() => stack.clerk.directory.updateUser(result.id, { firstName })),
  );
  const [one, two, three, newest] = states.map((state) => state.message);
  for (const next of [three, message, newest, one, two]) if (next !== undefined) await stack.deliver(next);
  expect(await user(result.id)).toMatchObject({ first_name: 'Ben the Great' });
});

test('a burst that arrives all at once ends in the newest state of each user', async () => {
  const users = Array.from({ length: 20 }, (_, index) => signUp(`Burst${index}`));
  const messages = users.flatMap(({ result, message }) => [
    message,
    ...['First', 'Second', 'Last'].map(
      (firstName) => stack.change(() => stack.clerk.directory.updateUser(result.id, { firstName })).message,
    ),
  ]);
  await Promise.all(messages.toReversed().map((message) => stack.deliver(message)));
  const rows = await stack.asAdmin(
    'query ($ids: [String!]) { users(where: {id: {_in: $ids}}) { first_name } }',
    { ids: users.map(({ result }) => result.id) },
  );
  expect(rows.users).toEqual(users.map(() => ({ first_name: 'Last' })));
});

test('a deletion that comes before what it deletes wins all the same', async () => {
  const { result, message } = signUp('Cem');
  const deletion = stack.change(() => stack.clerk.directory.deleteUser(result.id));
  await stack.deliver(deletion.message);
  await stack.deliver(message);
  expect(await user(result.id)).toMatchObject({ first_name: null, deleted_at: expect.any(String) });
});

test('a membership that comes before its user and its organization waits for neither', async () => {
  const { directory } = stack.clerk;
  const { result: dee, message: signedUp } = signUp('Dee');
  const founded = stack.change(() => directory.createOrganization({ name: 'Early' }));
  const joined = stack.change(() => directory.setMembership(founded.result.id, dee.id, 'org:admin'));
  await stack.deliver(joined.message);
  await stack.deliver(founded.message);
  await stack.deliver(signedUp);
  const token = await stack.clerk.token(dee.id);
  expect(
    await stack.asUser(token, '{ users { first_name } organizations { name memberships { role } } }'),
  ).toEqual({
    users: [{ first_name: 'Dee' }],
    organizations: [{ name: 'Early', memberships: [{ role: 'org:admin' }] }],
  });
});

test('a sign-in moves the time a user was last seen', async () => {
  const { result, message } = signUp('Eva');
  await stack.deliver(message);
  const before = (await user(result.id)) as { last_seen: string };
  const signIn = stack.change(() => stack.clerk.directory.signIn(result.id));
  await stack.deliver(signIn.message);
  const after = (await user(result.id)) as { last_seen: string };
  expect(Date.parse(after.last_seen)).toBeGreaterThan(Date.parse(before.last_seen));
});

describe('a delivery is refused with 401, and nothing of it is stored,', () => {
  const now = () => Math.floor(Date.now() / 1000);
  const sign = (
    message: Message,
    seconds: number,
    secret = stack.clerk.serviceEnvironment.CLERK_WEBHOOK_SECRET,
  ) => ({
    'svix-timestamp': String(seconds),
    'svix-signature': new Webhook(secret ?? '').sign(message.id, new Date(seconds * 1000), message.body),
  });
  const OTHER_SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

  const cases: [string, (message: Message) => Record<string, string>][] = [
    ['if it is signed with another secret', (message) => sign(message, now(), OTHER_SECRET)],
    ['if its signature is of another body', (message) => sign({ ...message, body: '{}' }, now())],
    ['if its signature is of another id', (message) => sign({ ...message, id: 'msg_other' }, now())],
    ['if its signature is nonsense', () => ({ 'svix-signature': 'v1,nonsense' })],
    [
      'if its signature is of an unknown version',
      (message) => {
        const { 'svix-signature': signature = '' } = sign(message, now());
        return { 'svix-timestamp': String(now()), 'svix-signature': signature.replace('v1,', 'v0,') };
      },
    ],
    ['if it is six minutes old', (message) => sign(message, now() - 360)],
    ['if it is six minutes ahead', (message) => sign(message, now() + 360)],
    [
      'if its timestamp is not the signed one',
      (message) => ({ ...sign(message, now() - 360), 'svix-timestamp': String(now()) }),
    ],
  ];
  test.each(cases)('%s', async (_case, headers) => {
    const { message, result } = stack.change(() => stack.clerk.directory.signUp({ firstName: 'Mallory' }));
    const response = await stack.clerk.webhooks.post(message, headers(message));
    expect(response.status).toBe(401);
    expect([await user(result.id), await delivery(message)]).toEqual([null, null]);
  });

  test('if it is not signed at all', async () => {
    const { message, result } = stack.change(() => stack.clerk.directory.signUp({ firstName: 'Mallory' }));
    const response = await fetch(`${stack.service.url}/webhooks/clerk`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: message.body,
    });
    expect(response.status).toBe(401);
    expect([await user(result.id), await delivery(message)]).toEqual([null, null]);
  });
});

test.each([
  ['is not JSON', '{"type": "user.created", '],
  ['is not an event', '[1, 2, 3]'],
  [
    'names no user',
    '{"object":"event","type":"user.created","data":{"first_name":"Nobody"},"timestamp":1767225601500}',
  ],
])('an authentic delivery whose body %s is answered 400 and kept as dead', async (_case, body) => {
  const message = { ...newMessage('user.created', null), body };
  const response = await stack.clerk.webhooks.post(message);
  expect(response.status).toBe(400);
  expect(await delivery(message)).toMatchObject({ status: 'dead' });
});

test('an event of an unknown type is accepted, and recorded as ignored', async () => {
  const message = stack.clerk.message('subscription.pastDue', { id: 'sub_1' });
  const response = await stack.clerk.webhooks.post(message);
  expect(response.ok).toBe(true);
  expect(await delivery(message)).toMatchObject({ type: 'subscription.pastDue', status: 'ignored' });
});

test('a body over 1 MiB is answered 413 and not stored, one just below is taken', async () => {
  const { result } = signUp('Big');
  const padded = (bytes: number): Message => {
    const event = { ...result, private_metadata: { padding: '' } };
    const empty = stack.clerk.message('user.created', event);
    return {
      ...empty,
      body: empty.body.replace('"padding":""', `"padding":"${'x'.repeat(bytes - empty.body.length)}"`),
    };
  };
  const large = padded(1024 * 1024 + 1);
  expect((await stack.clerk.webhooks.post(large)).status).toBe(413);
  expect([await user(result.id), await delivery(large)]).toEqual([null, null]);

  await stack.deliver(padded(1024 * 1024));
  expect(await user(result.id)).toMatchObject({ first_name: 'Big' });
});
