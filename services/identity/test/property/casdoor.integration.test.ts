import { type LocalCasdoor, RefusedError } from '@latchkey/local/stand-ins/casdoor';
import { holds } from '@latchkey/tests/support/property';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CasdoorWorld, startCasdoorWorld } from './casdoor-world.ts';

// Casdoor's deliveries only say where to look, so what arrives is what holds when it is read: here
// deliveries arrive between the steps of a history, and some changes are told by none.

let world: CasdoorWorld;
let casdoor: LocalCasdoor;
beforeAll(async () => {
  world = await startCasdoorWorld();
  casdoor = world.casdoor;
});
afterAll(() => world.close());

interface Step {
  act: 'add user' | 'update user' | 'delete user' | 'add group' | 'delete group' | 'move' | 'role';
  user: string;
  group: string;
  text: string;
  /** Whether a webhook tells of it. */
  isTold: boolean;
  /** How many of the deliveries on their way arrive after it, all at once. */
  arrive: number;
}

const steps = fc.array(
  fc.record<Step>({
    act: fc.constantFrom(
      'add user',
      'update user',
      'delete user',
      'add group',
      'delete group',
      'move',
      'role',
    ),
    user: fc.nat(3).map((index) => `acme/u${index}`),
    group: fc.nat(1).map((index) => `acme/g${index}`),
    text: fc.string({ unit: 'grapheme-ascii', maxLength: 5 }),
    isTold: fc.boolean(),
    arrive: fc.nat(4),
  }),
  { minLength: 1, maxLength: 20, size: 'max' },
);

function take({ act, user, group, text, isTold }: Step): void {
  const at = isTold ? casdoor.actions : casdoor.directory;
  const isThere = casdoor.directory.state().groups.some(({ owner, name }) => `${owner}/${name}` === group);
  try {
    switch (act) {
      case 'add user':
        at.addUser(user, { displayName: text });
        break;
      case 'update user':
        at.updateUser(user, { displayName: text });
        break;
      case 'delete user':
        at.deleteUser(user);
        break;
      case 'add group':
        at.addGroup(group, text);
        break;
      case 'delete group':
        at.deleteGroup(group);
        break;
      case 'move':
        at.updateUser(user, { groups: isThere && text.length % 2 === 0 ? [group] : [] });
        break;
      case 'role':
        if (casdoor.directory.state().roles.length === 0)
          at.addRole('acme/editor', { users: [user], isEnabled: true });
        else at.updateRole('acme/editor', { users: text.length % 2 === 0 ? [user] : [] });
        break;
    }
  } catch (error) {
    // A call that Casdoor refuses, such as a second user of one name, is told of all the same.
    if (!(error instanceof RefusedError)) throw error;
  }
}

/** What Casdoor holds of acme, derived without the code under test. */
function model() {
  const { users, groups } = casdoor.directory.state();
  const people = users.filter(({ owner }) => owner === 'acme');
  return {
    users: people
      .map((user) => ({
        id: user.id,
        name: user.displayName || null,
        roles: casdoor.directory.rolesOf(user).map(({ name }) => name),
      }))
      .sort((one, other) => (one.id < other.id ? -1 : 1)),
    groups: groups.map(({ owner, name }) => `${owner}/${name}`).sort(),
    memberships: people
      .flatMap(({ id, groups: its }) => ['acme', ...its].map((place) => `${place} ${id}`))
      .sort(),
  };
}

async function rows() {
  const { query } = world.project.database;
  const keys = async (sql: string) => (await query(sql)).map(({ key }) => String(key)).sort();
  const users = await query(
    "SELECT u.id, u.name, u.roles FROM public.users u WHERE u.deleted_at IS NULL AND u.username <> 'admin'",
  );
  return {
    users: users.sort((one, other) => (String(one.id) < String(other.id) ? -1 : 1)),
    groups: await keys(
      "SELECT id AS key FROM public.organizations WHERE deleted_at IS NULL AND id LIKE 'acme/%'",
    ),
    memberships: await keys(
      `SELECT m.organization_id || ' ' || m.user_id AS key
         FROM public.organization_memberships m JOIN public.users u ON u.id = m.user_id
        WHERE m.deleted_at IS NULL AND u.username IS DISTINCT FROM 'admin' AND m.organization_id LIKE 'acme%'`,
    ),
  };
}

test('hints in any number, at any time, and one reconcile end in what Casdoor holds', async () => {
  await holds(
    'Casdoor',
    fc.asyncProperty(steps, fc.infiniteStream(fc.nat(1000)), async (history, chance) => {
      await world.reset();
      const post = world.post(chance);
      for (const step of history) await post(() => take(step), step.arrive);
      await world.repair();
      expect(await rows()).toEqual(model());
    }),
  );
}, 3_600_000);
