import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type OneOfThree,
  type Person,
  startThreeProviders,
  THREE,
  type ThreeProviders,
} from '../../support/three-providers.ts';

let stack: ThreeProviders;
let victims: Record<OneOfThree, Person>;
let attackers: Record<OneOfThree, Person>;

beforeAll(async () => {
  stack = await startThreeProviders({ CASDOOR_ORGANIZATIONS: 'acme,beta' });
  const signUp = async (name: string): Promise<Record<OneOfThree, Person>> => ({
    clerk: await stack.signUp('clerk', `${name}-at-clerk@example.com`),
    casdoor: await stack.signUp('casdoor', `${name}-at-casdoor@example.com`),
    cognito: await stack.signUp('cognito', `${name}-at-cognito@example.com`),
  });
  victims = await signUp('victim');
  attackers = await signUp('mallory');
  // To sign in shows in a row of one's own: that is done here.
  for (const name of THREE) await attackers[name].signed({});
  await stack.cognito.settled();
}, 120_000);
afterAll(() => stack?.close());

/** Everything that is stored, and what Clerk and Casdoor hold. */
async function everything(): Promise<unknown> {
  return {
    stored: await stack.asAdmin(`{
      users(order_by: {id: asc}) {
        id provider tenant email first_name name deleted_at disabled_at tokens_valid_from updated_at
      }
      organization_memberships(order_by: [{user_id: asc}, {organization_id: asc}]) {
        user_id organization_id role deleted_at updated_at
      }
    }`),
    clerk: [victims, attackers].map((people) => stack.clerk.directory.findUser(people.clerk.id)),
    casdoor: [victims, attackers].map((people) => stack.casdoor.directory.findUser(people.casdoor.id)),
  };
}

const REQUESTS = [
  '{ users { id email } }',
  '{ organization_memberships { user_id organization_id } }',
  'mutation { syncMe { id user { email } } }',
  'mutation { updateMyProfile(first_name: "Mallory") { id user { email } } }',
  'mutation { signOutEverywhere { id } }',
  'mutation { deleteMyAccount { id } }',
];
const ACTIONS = ['syncMe', 'updateMyProfile', 'signOutEverywhere', 'deleteMyAccount'];

const pairs = THREE.flatMap((attacker) =>
  THREE.filter((victim) => victim !== attacker).map((victim) => [attacker, victim] as const),
);

describe.each(pairs)('a user of %s who bears the id of a user of %s', (at, of) => {
  test('reads, changes, signs out and deletes nobody, and their own session is none', async () => {
    const before = await everything();
    const token = await attackers[at].signed({ sub: victims[of].id });
    for (const query of REQUESTS) {
      expect(await stack.hasura.query(query, { token }), query).toMatchObject({
        data: null,
        codes: ['access-denied'],
      });
    }
    expect(await everything()).toEqual(before);
  });

  test('gets nothing by the actions themselves, did Hasura let them', async () => {
    const before = await everything();
    const tenants = { clerk: '', casdoor: 'acme', cognito: stack.cognito.userPoolId };
    for (const name of ACTIONS) {
      const answer = await fetch(`${stack.service.url}/actions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-latchkey-secret': stack.actionSecret },
        body: JSON.stringify({
          action: { name },
          input: { first_name: 'Mallory' },
          session_variables: {
            'x-hasura-role': 'user',
            'x-hasura-user-id': victims[of].id,
            'x-hasura-identity-provider': at,
            'x-hasura-identity-tenant': tenants[at],
            'x-hasura-identity-issued-at': String(Math.floor(Date.now() / 1000)),
          },
        }),
      });
      const body: unknown = await answer.json();
      expect([answer.status, body], name).toEqual([
        401,
        { message: expect.any(String), extensions: { code: 'token-invalid' } },
      ]);
      expect(JSON.stringify(body)).not.toContain('victim');
    }
    expect(await everything()).toEqual(before);
  });
});

test('a user of one Casdoor organization who bears the id of a user of another gets nothing', async () => {
  const before = await everything();
  const token = await attackers.casdoor.signed({ sub: victims.casdoor.id, owner: 'beta', name: 'mallory' });
  for (const query of REQUESTS) {
    expect(await stack.hasura.query(query, { token }), query).toMatchObject({ codes: ['access-denied'] });
  }
  expect(await everything()).toEqual(before);
});

test('whose row it could be is nobody’s: neither of two who bear its id gets it', async () => {
  await stack.signUp('casdoor', 'uncertain@example.com');
  const user = stack.casdoor.directory.findUser('acme/uncertain');
  if (user === undefined) throw new Error('Nobody has signed up.');
  await stack.asAdmin(
    `mutation { update_users_by_pk(pk_columns: {id: "${user.id}"}, _set: {tenant: "?"}) { id } }`,
  );
  for (const owner of ['acme', 'beta', '?']) {
    const token = await attackers.casdoor.signed({ sub: user.id, owner });
    expect(await stack.hasura.query('{ users { id } }', { token })).toMatchObject({
      codes: ['access-denied'],
    });
  }
});

test('everybody is still themselves', async () => {
  for (const name of THREE) {
    const { id } = victims[name];
    const { data } = await stack.hasura.query('{ users { id } }', { token: await victims[name].token() });
    expect(data, name).toEqual({ users: [{ id }] });
  }
});
