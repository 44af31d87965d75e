import { setTimeout as sleep } from 'node:timers/promises';
import { AdminUpdateUserAttributesCommand } from '@aws-sdk/client-cognito-identity-provider';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import {
  type OneOfThree,
  startThreeProviders,
  THREE,
  type ThreeProviders,
} from '../support/three-providers.ts';

let stack: ThreeProviders;
beforeAll(async () => {
  stack = await startThreeProviders({ LATCHKEY_DELETION_LIMIT: '1' });
}, 120_000);
afterAll(() => stack?.close(), 60_000);

/** Bad weather on the way of webhooks and at the API of each provider; the same in each run. */
const FAULTS: Record<string, string | number>[] = [
  // Never sent at all: these only a reconcile brings.
  { fault: 'lose', times: 1 },
  { fault: 'drop', probability: 0.25, seed: 1 },
  { fault: 'duplicate', probability: 0.3, seed: 2 },
  { fault: 'delay', probability: 0.2, seed: 3, ms: 300 },
  { fault: 'reorder', probability: 0.5, seed: 4, ms: 150 },
  { fault: '429', probability: 0.1, seed: 5, retry_after: 1 },
  { fault: '500', probability: 0.1, seed: 6 },
  { fault: 'timeout', probability: 0.05, seed: 7, ms: 100 },
];

const PEOPLE = Array.from({ length: 8 }, (_, index) => `stormy${index}`);

/** People sign up one after the other, and then all change their names. */
const LIFE: Record<OneOfThree, () => Promise<unknown>> = {
  async clerk() {
    const { directory } = stack.clerk;
    const { id } = directory.createOrganization({ name: 'Storm' });
    const users = PEOPLE.map((name) => directory.signUp({ email: `${name}@clerk.example`, firstName: name }));
    for (const user of users) {
      directory.setMembership(id, user.id, 'org:member');
      directory.updateUser(user.id, { firstName: 'Renamed' });
    }
    const [first] = users;
    if (first !== undefined) directory.deleteUser(first.id);
  },
  async casdoor() {
    const { actions } = stack.casdoor;
    actions.addGroup('acme/storm');
    for (const name of PEOPLE) {
      actions.addUser(`acme/${name}`, {
        email: `${name}@casdoor.example`,
        emailVerified: true,
        groups: ['acme/storm'],
      });
    }
    for (const name of PEOPLE) actions.updateUser(`acme/${name}`, { firstName: 'Renamed' });
    actions.deleteUser(`acme/${PEOPLE[0]}`);
  },
  async cognito() {
    const { client, userPoolId: UserPoolId, url } = stack.cognito;
    for (const name of PEOPLE) {
      const Username = `${name}@cognito.example`;
      await fetch(`${url}/sign-up`, { method: 'POST', body: new URLSearchParams({ email: Username }) });
      const UserAttributes = [{ Name: 'given_name', Value: 'Renamed' }];
      const command = new AdminUpdateUserAttributesCommand({ UserPoolId, Username, UserAttributes });
      // The change itself may meet a fault too.
      for (let tries = 0; tries < 20; tries += 1) {
        if (
          await client.send(command).then(
            () => true,
            () => false,
          )
        )
          break;
      }
    }
  },
};

const ROWS = z.object({ users: z.array(z.object({ email: z.string(), first_name: z.string().nullable() })) });

async function live(provider: OneOfThree): Promise<string[]> {
  const { users } = ROWS.parse(
    await stack.asAdmin(`{
      users(where: {provider: {_eq: "${provider}"}, email: {_like: "stormy%"}, deleted_at: {_is_null: true}}) {
        email first_name
      }
    }`),
  );
  return users.map(({ email, first_name }) => `${email} ${first_name}`).sort();
}

const MEMBERS = z.object({ organization_memberships: z.array(z.unknown()) });

async function members(provider: OneOfThree): Promise<number> {
  const { organization_memberships: rows } = MEMBERS.parse(
    await stack.asAdmin(`{
      organization_memberships(where: {
        organization: {provider: {_eq: "${provider}"}, name: {_ilike: "storm"}}, deleted_at: {_is_null: true}
      }) { role }
    }`),
  );
  return rows.length;
}

const faultsOf = (provider: OneOfThree, method: string, fault?: object) =>
  fetch(`${stack[provider].url}/faults`, {
    method,
    ...(fault && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(fault) }),
  });

test('webhooks lost, dropped, doubled, late and out of order, and an API that fails: rows end as the providers have them', {
  timeout: 180_000,
}, async () => {
  for (const provider of THREE) {
    for (const fault of FAULTS) expect((await faultsOf(provider, 'POST', fault)).status).toBe(201);
  }
  await Promise.all(THREE.map((provider) => LIFE[provider]()));
  await Promise.all([stack.clerk.webhooks.idle(), stack.casdoor.webhooks.idle(), stack.cognito.settled()]);
  for (const provider of THREE) {
    const applied = z
      .array(z.object({ fault: z.string(), applied: z.number() }))
      .parse(await (await faultsOf(provider, 'GET')).json());
    // The weather was bad indeed.
    for (const { fault, applied: times } of applied.slice(0, 5))
      expect([provider, fault, times > 0]).toEqual([provider, fault, true]);
    await faultsOf(provider, 'DELETE');
  }

  // Later than anything that has happened: a repair deletes only what is older than its listing.
  await sleep(50);
  const answer = await fetch(`${stack.service.url}/jobs/reconcile`, {
    method: 'POST',
    headers: { 'x-latchkey-secret': stack.actionSecret },
  });
  expect(answer.ok).toBe(true);

  const survivors = (provider: string, names = PEOPLE) =>
    names.map((name) => `${name}@${provider}.example Renamed`).sort();
  // It is answered before it has ended, where it takes long.
  await expect.poll(() => live('clerk'), { timeout: 60_000 }).toEqual(survivors('clerk', PEOPLE.slice(1)));
  await expect
    .poll(() => live('casdoor'), { timeout: 60_000 })
    .toEqual(survivors('casdoor', PEOPLE.slice(1)));
  await expect.poll(() => live('cognito'), { timeout: 60_000 }).toEqual(survivors('cognito'));
  expect([await members('clerk'), await members('casdoor')]).toEqual([7, 7]);
});
