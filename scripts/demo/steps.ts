import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { SESSION_USER_SECONDS } from '@latchkey/identity/auth/session-users';
import {
  type Answer,
  type Caller,
  ConnectionRefused,
  createGraphqlClient,
  type Subprotocol,
} from '@latchkey/local/graphql-client';
import { type Message, templatePayload } from '@latchkey/local/stand-ins/clerk';
import { createSigningKey } from '@latchkey/local/stand-ins/core';
import type { Stack } from '../stack/stack.ts';
import type { Checklist } from './checklist.ts';

/** All a user could wish to see; what they may not see must not be in the answer. */
const EVERYTHING = `{
  users { id email first_name }
  organizations { name }
  organization_memberships { role user_id }
}`;

const NOTHING = { users: [], organizations: [], organization_memberships: [] };

/** Plays two users from sign-up to deletion, checking each effect from outside. */
export async function runSteps(stack: Stack, { step, check }: Checklist): Promise<void> {
  const { providers, engine } = stack;
  const { clerk } = providers;
  if (clerk === undefined) throw new Error('This is played at Clerk, and no local Clerk runs.');
  const hasura = createGraphqlClient(engine.url);
  const admin: Caller = { adminSecret: engine.adminSecret };
  const asAdmin = async (query: string): Promise<Record<string, unknown>> =>
    dataOf(await hasura.query(query, admin));
  const ask = async (token: string, query: string): Promise<Record<string, unknown>> =>
    dataOf(await hasura.query(query, { token }));

  /** Lets a change happen at Clerk without its webhook, which the script then sends as it likes. */
  const change = <T>(body: () => T): { result: T; message: Message } => {
    const { result, messages } = clerk.intercept(body);
    const [message] = messages;
    if (message === undefined) throw new Error('The change caused no event.');
    return { result, message };
  };
  const deliver = async (message: Message): Promise<void> => {
    const response = await clerk.webhooks.post(message);
    ok(response.ok, `the service answered ${response.status}: ${await response.text()}`);
  };

  step('Ada and Ben sign up at Clerk, which tells the service by signed webhooks');
  const ada = change(() => clerk.directory.signUp({ email: 'ada@example.com', firstName: 'Ada' }));
  const ben = change(() => clerk.directory.signUp({ email: 'ben@example.com', firstName: 'Ben' }));
  await check('both webhooks are accepted', async () => {
    await deliver(ada.message);
    await deliver(ben.message);
  });
  await check('Ada’s arrives a second time and changes nothing', async () => {
    const before = await asAdmin('{ users(order_by: {id: asc}) { id updated_at } }');
    await deliver(ada.message);
    deepStrictEqual(await asAdmin('{ users(order_by: {id: asc}) { id updated_at } }'), before);
    const { identity_deliveries: deliveries } = await asAdmin('{ identity_deliveries { id } }');
    strictEqual(Array.isArray(deliveries) && deliveries.length, 2);
  });
  await check('the database holds Ada and Ben', async () => {
    deepStrictEqual(await asAdmin('{ users(order_by: {email: asc}) { email first_name email_verified } }'), {
      users: [
        { email: 'ada@example.com', first_name: 'Ada', email_verified: true },
        { email: 'ben@example.com', first_name: 'Ben', email_verified: true },
      ],
    });
  });

  step('Ada founds an organization and takes Ben in; the webhooks come in the wrong order');
  const founded = change(() =>
    clerk.directory.createOrganization({ name: 'Example Org', createdBy: ada.result.id }),
  );
  const organization = founded.result;
  const adminship = change(() => clerk.directory.setMembership(organization.id, ada.result.id, 'org:admin'));
  const membership = change(() =>
    clerk.directory.setMembership(organization.id, ben.result.id, 'org:member'),
  );
  const renamed = change(() => clerk.directory.updateUser(ada.result.id, { firstName: 'Augusta' }));
  const renamedAgain = change(() => clerk.directory.updateUser(ada.result.id, { firstName: 'Ada Augusta' }));
  await check('the memberships arrive before their organization', async () => {
    await deliver(membership.message);
    await deliver(adminship.message);
    await deliver(founded.message);
    deepStrictEqual(
      await asAdmin('{ organizations { name memberships(order_by: {role: asc}) { role user { email } } } }'),
      {
        organizations: [
          {
            name: 'Example Org',
            memberships: [
              { role: 'org:admin', user: { email: 'ada@example.com' } },
              { role: 'org:member', user: { email: 'ben@example.com' } },
            ],
          },
        ],
      },
    );
  });
  await check('of two changes to Ada’s name the later one stays, though it arrives first', async () => {
    await deliver(renamedAgain.message);
    await deliver(renamed.message);
    deepStrictEqual(await asAdmin(`{ users_by_pk(id: "${ada.result.id}") { first_name } }`), {
      users_by_pk: { first_name: 'Ada Augusta' },
    });
  });

  step('Somebody who does not know the secret sends a webhook too');
  await check('it is refused, and nothing of it is stored', async () => {
    const forged = clerk.message('user.created', { ...ada.result, id: 'user_forged' });
    const signature = `v1,${Buffer.alloc(32, 1).toString('base64')}`;
    const response = await clerk.webhooks.post(forged, { 'svix-signature': signature });
    strictEqual(response.status, 401);
    deepStrictEqual(
      await asAdmin(
        `{ users_by_pk(id: "user_forged") { id } identity_deliveries_by_pk(id: "${forged.id}") { id } }`,
      ),
      { users_by_pk: null, identity_deliveries_by_pk: null },
    );
    return 'HTTP 401';
  });

  const adaToken = await clerk.token(ada.result.id, {
    organization: { id: organization.id, role: 'org:admin' },
  });
  const benToken = await clerk.token(ben.result.id);

  step('Each asks Hasura for everything, with their own token from Clerk');
  await check('Ada sees herself, her organization and, being its admin, all its members', async () => {
    deepStrictEqual(sorted(await ask(adaToken, EVERYTHING)), {
      users: [{ id: ada.result.id, email: 'ada@example.com', first_name: 'Ada Augusta' }],
      organizations: [{ name: 'Example Org' }],
      organization_memberships: [
        { role: 'org:admin', user_id: ada.result.id },
        { role: 'org:member', user_id: ben.result.id },
      ],
    });
  });
  await check('Ben sees himself, the organization and his own membership', async () => {
    deepStrictEqual(await ask(benToken, EVERYTHING), {
      users: [{ id: ben.result.id, email: 'ben@example.com', first_name: 'Ben' }],
      organizations: [{ name: 'Example Org' }],
      organization_memberships: [{ role: 'org:member', user_id: ben.result.id }],
    });
  });
  await check('Ben asks for Ada by her id and gets nothing', async () => {
    deepStrictEqual(await ask(benToken, `{ users_by_pk(id: "${ada.result.id}") { id } }`), {
      users_by_pk: null,
    });
  });
  for (const subprotocol of ['graphql-transport-ws', 'graphql-ws'] satisfies Subprotocol[]) {
    await check(`over a WebSocket (${subprotocol}) Ben sees the same`, async () => {
      const results = hasura.subscribe('subscription { users { id } }', { token: benToken }, subprotocol);
      const { value } = await results.next();
      await results.return();
      deepStrictEqual(value, { users: [{ id: ben.result.id }] });
    });
  }

  step('Others try, and Hasura refuses them with its own errors');
  const refused = async (caller: Caller, code: string): Promise<string> => {
    const answer = await hasura.query('{ users { id } }', caller);
    deepStrictEqual(answer.codes, [code], `expected ${code}, got ${JSON.stringify(answer)}`);
    return `${code}, “${answer.message}”`;
  };
  const stranger = await createSigningKey('ins_stranger');
  await check('without a token', () => refused({}, 'invalid-headers'));
  await check('with an expired token', async () =>
    refused({ token: await clerk.token(ben.result.id, { lifetimeSeconds: -60 }) }, 'invalid-jwt'),
  );
  await check('with a token signed by somebody else', async () =>
    refused({ token: await stranger.sign(templatePayload(clerk.url, ada.result.id)) }, 'invalid-jwt'),
  );
  await check('as admin, with Ben’s token', () =>
    refused({ token: benToken, role: 'admin' }, 'access-denied'),
  );
  await check('writing Ben’s own row, with Ben’s token', async () => {
    const mutation =
      'mutation { update_users(where: {}, _set: {email: "root@example.com"}) { affected_rows } }';
    const answer = await hasura.query(mutation, { token: benToken });
    deepStrictEqual(
      answer.codes,
      ['validation-failed'],
      `expected validation-failed, got ${JSON.stringify(answer)}`,
    );
    return `validation-failed, “${answer.message}”`;
  });
  await check('over a WebSocket, with an expired token', async () => {
    const token = await clerk.token(ben.result.id, { lifetimeSeconds: -60 });
    const outcome = await hasura
      .subscribe('subscription { users { id } }', { token })
      .next()
      .catch((error: unknown) => error);
    ok(outcome instanceof ConnectionRefused, `expected to be refused, got ${JSON.stringify(outcome)}`);
    return outcome.message;
  });

  step('Ben is banned at Clerk, while he holds a token that is still good');
  /** What Hasura would hear of Ben from the service, where it asks the service who a client is. */
  const hookStatus = async (): Promise<number> => {
    const answer = await fetch(`${stack.service.url}/auth/hook`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ headers: { Authorization: `Bearer ${benToken}` } }),
    });
    await answer.body?.cancel();
    return answer.status;
  };
  await check('with it Hasura shows him nothing any more, from this moment on', async () => {
    strictEqual(await hookStatus(), 200);
    await deliver(change(() => clerk.directory.banUser(ben.result.id)).message);
    deepStrictEqual(await ask(benToken, EVERYTHING), NOTHING);
  });
  await check(`and the auth hook refuses him within ${SESSION_USER_SECONDS} seconds`, async () => {
    const began = performance.now();
    const isLate = () => performance.now() - began > SESSION_USER_SECONDS * 1000;
    for (let status = 200; status !== 401; await sleep(50)) {
      ok(!isLate(), `it still answers ${status}`);
      status = await hookStatus();
    }
    return `after ${((performance.now() - began) / 1000).toFixed(1)} s`;
  });
  await check('until Clerk lets him in again', async () => {
    await deliver(change(() => clerk.directory.unbanUser(ben.result.id)).message);
    deepStrictEqual(await ask(benToken, '{ users { id } }'), { users: [{ id: ben.result.id }] });
  });

  step('Ben deletes his account at Clerk');
  await check('his token is still good, but shows nothing any more', async () => {
    const deletion = change(() => clerk.directory.deleteUser(ben.result.id));
    await deliver(deletion.message);
    deepStrictEqual(await ask(benToken, EVERYTHING), NOTHING);
  });
  await check('Ada no longer finds him among her members', async () => {
    deepStrictEqual(await ask(adaToken, '{ organization_memberships { user_id } }'), {
      organization_memberships: [{ user_id: ada.result.id }],
    });
  });
  await check('an event of his that comes late does not bring him back', async () => {
    await deliver(ben.message);
    await deliver(membership.message);
    deepStrictEqual(await asAdmin('{ users(where: {deleted_at: {_is_null: true}}) { email } }'), {
      users: [{ email: 'ada@example.com' }],
    });
  });
}

function dataOf(answer: Answer): Record<string, unknown> {
  if (answer.data === null) throw new Error(`Hasura answered ${answer.codes.join(', ')}: ${answer.message}`);
  return answer.data;
}

/** Rows in an order of their own making, where the question did not ask for one. */
function sorted(data: Record<string, unknown>): Record<string, unknown> {
  const byText = (a: unknown, b: unknown): number => JSON.stringify(a).localeCompare(JSON.stringify(b));
  return Object.fromEntries(
    Object.entries(data).map(([key, rows]) => [key, Array.isArray(rows) ? rows.toSorted(byText) : rows]),
  );
}
