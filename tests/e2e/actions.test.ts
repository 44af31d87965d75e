import type { ClerkUser } from '@latchkey/local/stand-ins/clerk';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({ linked: true });
});
afterAll(() => stack?.close());

let email = 0;
/** Whose webhook is lost: nobody but an action brings their row. */
function signUp(firstName = 'Ada', verified = true): ClerkUser {
  email += 1;
  return stack.change(() =>
    stack.clerk.directory.signUp({ email: `user-${email}@example.com`, firstName, verified }),
  ).result;
}

const row = async (id: string): Promise<unknown> =>
  (
    await stack.asAdmin(
      'query ($id: String!) { users_by_pk(id: $id) { id first_name last_name email deleted_at } }',
      { id },
    )
  ).users_by_pk;

async function call(user: ClerkUser, action: string, fields = 'id user { id first_name }') {
  const token = await stack.clerk.token(user.id);
  return stack.hasura.query(`mutation { answer: ${action} { ${fields} } }`, { token });
}

describe('syncMe', () => {
  test('brings the row of a user of whom no webhook has told, and shows it', async () => {
    const ada = signUp();
    expect(await call(ada, 'syncMe', 'id user { id email first_name }')).toMatchObject({
      codes: [],
      data: {
        answer: {
          id: ada.id,
          user: { id: ada.id, email: `user-${email}@example.com`, first_name: 'Ada' },
        },
      },
    });
    expect(await row(ada.id)).toMatchObject({ first_name: 'Ada', deleted_at: null });
  });

  test('brings what has changed since, and twice changes nothing', async () => {
    const ada = signUp();
    await call(ada, 'syncMe');
    stack.change(() => stack.clerk.directory.updateUser(ada.id, { firstName: 'Augusta' }));
    for (const _time of [1, 2]) {
      expect(await call(ada, 'syncMe')).toMatchObject({
        data: { answer: { user: { id: ada.id, first_name: 'Augusta' } } },
      });
    }
  });

  test('does not bring a user back of whose deletion a webhook has told', async () => {
    const ada = signUp();
    await call(ada, 'syncMe');
    const { message } = stack.change(() => stack.clerk.directory.deleteUser(ada.id));
    await stack.deliver(message);
    expect(await call(ada, 'syncMe')).toMatchObject({ data: null, codes: ['not-found'] });
    expect(await row(ada.id)).toMatchObject({ first_name: null, deleted_at: expect.any(String) });
  });

  test('tells who is unknown at the provider, and stores nothing of them', async () => {
    const token = await stack.clerk.token('user_nobody');
    const answer = await stack.hasura.query('mutation { syncMe { id } }', { token });
    expect(answer).toMatchObject({ data: null, codes: ['not-found'] });
    expect(await row('user_nobody')).toBeNull();
  });
});

describe('updateMyProfile', () => {
  test('changes the profile at the provider and the row, and leaves alone what is left out', async () => {
    const ada = signUp('Ada');
    expect(
      await call(ada, 'updateMyProfile(last_name: "  King ")', 'user { first_name last_name }'),
    ).toMatchObject({ data: { answer: { user: { first_name: 'Ada', last_name: 'King' } } } });
    expect(stack.clerk.directory.findUser(ada.id)).toMatchObject({ first_name: 'Ada', last_name: 'King' });
    expect(await row(ada.id)).toMatchObject({ first_name: 'Ada', last_name: 'King' });
    await call(ada, 'updateMyProfile(first_name: "Augusta", last_name: null)');
    expect(await row(ada.id)).toMatchObject({ first_name: 'Augusta', last_name: 'King' });
  });

  test.each([
    ['nothing', 'updateMyProfile'],
    ['nothing but nulls', 'updateMyProfile(first_name: null)'],
    ['white space', 'updateMyProfile(first_name: "   ")'],
    ['control characters', 'updateMyProfile(first_name: "A\\u0007da")'],
    ['a name without end', `updateMyProfile(last_name: "${'x'.repeat(101)}")`],
    ['what the provider does not keep', 'updateMyProfile(name: "Ada King")'],
  ])('refuses %s, with a message for the client', async (_what, action) => {
    const ada = signUp('Ada');
    const answer = await call(ada, action);
    expect(answer).toMatchObject({ data: null, codes: ['request-invalid'] });
    expect(answer.message).not.toBe('');
    expect(stack.clerk.directory.findUser(ada.id)).toMatchObject({ first_name: 'Ada', last_name: null });
  });
});

describe('deleteMyAccount', () => {
  test('deletes at the provider; the row is gone at once, and what the ledger kept with it', async () => {
    const { result: ada, message } = stack.change(() =>
      stack.clerk.directory.signUp({ email: 'gone@example.com', firstName: 'Ada' }),
    );
    await stack.deliver(message);
    expect(await call(ada, 'deleteMyAccount')).toMatchObject({
      codes: [],
      data: { answer: { id: ada.id, user: null } },
    });
    expect(stack.clerk.directory.findUser(ada.id)).toBeUndefined();
    expect(await row(ada.id)).toMatchObject({ email: null, deleted_at: expect.any(String) });
    expect(
      await stack.asAdmin(
        'query ($id: String!) { identity_deliveries(where: {subject: {_eq: $id}}) { payload } }',
        { id: ada.id },
      ),
    ).toMatchObject({ identity_deliveries: expect.not.arrayContaining([{ payload: expect.anything() }]) });
    await stack.deliver(message);
    expect(await row(ada.id)).toMatchObject({ email: null, deleted_at: expect.any(String) });
  });

  test('twice, and at once, is as good as once', async () => {
    const ada = signUp();
    await call(ada, 'syncMe');
    const answers = await Promise.all([call(ada, 'deleteMyAccount'), call(ada, 'deleteMyAccount')]);
    answers.push(await call(ada, 'deleteMyAccount'));
    for (const answer of answers) {
      expect(answer).toMatchObject({ codes: [], data: { answer: { id: ada.id, user: null } } });
    }
    expect(await row(ada.id)).toMatchObject({ deleted_at: expect.any(String) });
  });
});

describe('whoever calls can only be themselves', () => {
  let ada: ClerkUser;
  let ben: ClerkUser;
  beforeEach(async () => {
    [ada, ben] = [signUp('Ada'), signUp('Ben')];
    for (const user of [ada, ben]) await call(user, 'syncMe');
  });

  test('a header with another’s id is not heeded', async () => {
    const token = await stack.clerk.token(ben.id);
    await stack.hasura.query('mutation { deleteMyAccount { id } }', {
      token,
      headers: { 'x-hasura-user-id': ada.id },
    });
    expect([await row(ada.id), await row(ben.id)]).toMatchObject([
      { deleted_at: null },
      { deleted_at: expect.any(String) },
    ]);
  });

  test.each([
    'syncMe(id: "user_1")',
    'deleteMyAccount(id: "user_1")',
    'updateMyProfile(id: "user_1", first_name: "Eve")',
  ])('there is no argument for it: %s', async (action) => {
    expect(await call(ben, action)).toMatchObject({ data: null, codes: ['validation-failed'] });
  });

  test('the answer shows no more than the caller may see', async () => {
    const answer = await call(ben, 'syncMe', 'user { metadata }');
    expect(answer).toMatchObject({ data: null, codes: ['validation-failed'] });
  });

  test('without a token there are no actions', async () => {
    for (const name of ['syncMe', 'deleteMyAccount']) {
      const answer = await stack.hasura.query(`mutation { ${name} { id } }`);
      expect(answer.data).toBeNull();
    }
  });

  const post = (body: unknown, headers: Record<string, string>) =>
    fetch(`${stack.service.url}/actions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const deletion = (id: string, input = {}) => ({
    action: { name: 'deleteMyAccount' },
    input,
    session_variables: { 'x-hasura-role': 'user', 'x-hasura-user-id': id },
  });

  test.each([
    ['no secret', {}],
    ['an empty one', { 'x-latchkey-secret': '' }],
    ['another', { 'x-latchkey-secret': 'a-guess-of-some-length' }],
  ])('the service answers 401 to %s, for actions and for jobs', async (_what, headers) => {
    expect((await post(deletion(ada.id), headers)).status).toBe(401);
    for (const job of ['retention', 'erasure', 'reconcile']) {
      const answer = await fetch(`${stack.service.url}/jobs/${job}`, { method: 'POST', headers });
      expect(answer.status).toBe(401);
    }
    expect(await row(ada.id)).toMatchObject({ deleted_at: null });
  });

  test('who the input says is calling is not heeded', async () => {
    const secret = { 'x-latchkey-secret': stack.actionSecret };
    const forged = {
      id: ada.id,
      user_id: ada.id,
      'x-hasura-user-id': ada.id,
      session_variables: { 'x-hasura-user-id': ada.id },
    };
    expect(await (await post(deletion(ben.id, forged), secret)).json()).toEqual({ id: ben.id });
    expect(await row(ada.id)).toMatchObject({ deleted_at: null });
    const nobody = { ...deletion(ada.id), session_variables: { 'x-hasura-role': 'admin' }, input: forged };
    expect((await post(nobody, secret)).status).toBe(400);
    expect(await row(ada.id)).toMatchObject({ deleted_at: null });
  });

  test.each(['../users', 'a/b', 'a?b', 'a#b', '..', 'a" or sub = "b', ''])(
    'the id %j reaches no provider',
    async (id) => {
      const answer = await post(deletion(id), { 'x-latchkey-secret': stack.actionSecret });
      expect([answer.status, await answer.json()]).toEqual([
        400,
        { message: expect.any(String), extensions: { code: 'request-invalid' } },
      ]);
    },
  );

  test('both secrets are taken while one replaces the other', async () => {
    const next = await post(deletion(ben.id), { 'x-latchkey-secret': 'the-secret-that-comes-next' });
    expect(next.status).toBe(200);
    const both = `the-secret-that-comes-next,${stack.actionSecret}`;
    expect((await post(deletion(ada.id), { 'x-latchkey-secret': both })).status).toBe(401);
  });
});
