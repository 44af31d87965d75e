import { type CasdoorUser, type LocalCasdoor, RefusedError } from '@latchkey/local/stand-ins/casdoor';
import { holds } from '@latchkey/tests/support/property';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type CasdoorWorld, startCasdoorWorld } from './casdoor-world.ts';

// Two organizations whose users have the same ids on purpose. An id is the row of whoever was here first,
// and goes with them alone, wherever they go; whatever else happens, nobody gets another's row.

let world: CasdoorWorld;
let casdoor: LocalCasdoor;
beforeAll(async () => {
  world = await startCasdoorWorld();
  casdoor = world.casdoor;
});
afterAll(() => world.close());

const ACTS = [
  'add',
  'update',
  'delete',
  'move',
  'rename',
  'keep out',
  'let in',
  'group',
  'role',
  'rename organization',
] as const;
interface Step {
  act: (typeof ACTS)[number];
  /** Which organization, user, id. */
  place: number;
  user: number;
  id: number;
  isTold: boolean;
  arrive: number;
}

const steps = fc.array(
  fc.record<Step>({
    act: fc.constantFrom(...ACTS, 'add', 'move'),
    place: fc.nat(1),
    user: fc.nat(2),
    id: fc.nat(2),
    isTold: fc.boolean(),
    arrive: fc.nat(4),
  }),
  { minLength: 1, maxLength: 25, size: 'max' },
);

/** No two users are made at the same instant: by that a move is told from a newcomer. */
let births = 0;

function take({ act, place, user, id, isTold }: Step): void {
  const { directory } = casdoor;
  const at = isTold ? casdoor.actions : directory;
  const organizations = directory.state().organizations.filter(({ name }) => name !== 'built-in');
  const [here, there] = place === 0 ? organizations : organizations.toReversed();
  if (here === undefined || there === undefined) throw new Error('There are two organizations.');
  const name = `${here.name}/u${user}`;
  const isTaken = (owner: string, wanted: string | undefined) =>
    directory.state().users.some((one) => one.owner === owner && one.id === wanted);
  const found = directory.state().users.find((one) => `${one.owner}/${one.name}` === name);
  try {
    switch (act) {
      case 'add':
        births += 1;
        // Twice in one organization it would be nobody's, which the tests of deliveries and listings hold.
        if (isTaken(here.name, `id-${id}`)) return;
        at.addUser(name, { id: `id-${id}`, createdTime: new Date(births * 1000).toISOString() });
        return;
      case 'update':
        at.updateUser(name, { displayName: `D${id}` });
        return;
      case 'delete':
        at.deleteUser(name);
        return;
      case 'move':
        if (!isTaken(there.name, found?.id)) at.updateUser(name, { owner: there.name });
        return;
      case 'rename':
        at.updateUser(name, { name: `u${id}` });
        return;
      case 'keep out':
        at.updateUser(name, id === 0 ? { isForbidden: true } : { isDeleted: true });
        return;
      case 'let in':
        at.updateUser(name, { isForbidden: false, isDeleted: false });
        return;
      case 'group': {
        const group = `${here.name}/g-${here.name}`;
        const isThere = directory.state().groups.some((one) => `${one.owner}/${one.name}` === group);
        if (!isThere) at.addGroup(group);
        // Of the other organization too, as nothing keeps anybody from it.
        at.updateUser(name, { groups: [group, `${there.name}/g-${there.name}`, `${here.name}/none`] });
        return;
      }
      case 'role': {
        const role = `${here.name}/r-${here.name}`;
        const users = [name, `${there.name}/u${user}`];
        const isThere = directory.state().roles.some((one) => `${one.owner}/${one.name}` === role);
        if (isThere) at.updateRole(role, { users, isEnabled: id > 0 });
        else at.addRole(role, { users });
        return;
      }
      case 'rename organization':
        at.updateOrganization(here.name, {
          name: here.name.startsWith('x-') ? here.name.slice(2) : `x-${here.name}`,
        });
        return;
    }
  } catch (error) {
    // A call that Casdoor refuses is told of all the same.
    if (!(error instanceof RefusedError)) throw error;
  }
}

const ROW = z.object({
  id: z.string(),
  tenant: z.string(),
  born: z.date().nullable(),
  gone: z.boolean(),
  out: z.boolean(),
  username: z.string().nullable(),
  name: z.string().nullable(),
  roles: z.array(z.string()),
  places: z.array(z.string()),
});
type Row = z.infer<typeof ROW>;

async function rows(): Promise<Map<string, Row>> {
  const found = await world.project.database.query(`
    SELECT u.id, u.tenant, u.source_created_at AS born, u.deleted_at IS NOT NULL AS gone,
        u.disabled_at IS NOT NULL AS out, u.username, u.name, u.roles,
        coalesce(array_agg(m.organization_id::text ORDER BY m.organization_id)
          FILTER (WHERE m.deleted_at IS NULL), '{}') AS places
      FROM public.users u LEFT JOIN public.organization_memberships m ON m.user_id = u.id
      WHERE u.id LIKE 'id-%' GROUP BY u.id`);
  return new Map(
    z
      .array(ROW)
      .parse(found)
      .map((row) => [row.id, row]),
  );
}

/** The row of a user, derived without the code under test. */
function rowOf(user: CasdoorUser): Row {
  const { roles, groups } = casdoor.directory.state();
  const name = `${user.owner}/${user.name}`;
  const isOwn = (group: string) =>
    groups.some((one) => one.owner === user.owner && `${one.owner}/${one.name}` === group);
  return {
    id: user.id,
    tenant: user.owner,
    born: new Date(user.createdTime),
    gone: false,
    out: user.isForbidden || user.isDeleted,
    username: user.name,
    name: user.displayName,
    roles: roles
      .filter((one) => one.owner === user.owner && one.isEnabled && one.users.includes(name))
      .map((one) => one.name)
      .sort(),
    places: [user.owner, ...user.groups.filter(isOwn)].sort(),
  };
}

/** What must hold between any two moments. */
function expectNobodyElses(before: Map<string, Row>, after: Map<string, Row>): void {
  for (const [id, then] of before) {
    const now = after.get(id);
    expect(now, 'a row never goes away').toBeDefined();
    if (now === undefined || now.tenant === then.tenant) continue;
    const { users } = casdoor.directory.state();
    const isLeft = !users.some((user) => user.owner === then.tenant && user.id === id);
    expect(isLeft, 'nobody moves while somebody is in the old place').toBe(true);
    expect(then.gone, 'nobody moves into a tombstone').toBe(false);
    if (!now.gone) expect(now.born, 'who is in another organization was in the old one').toEqual(then.born);
  }
}

test('histories of two organizations that use the same ids end with every row belonging to whom it belongs', async () => {
  await holds(
    'Casdoor, two organizations',
    fc.asyncProperty(steps, fc.infiniteStream(fc.nat(1000)), async (history, chance) => {
      await world.reset();
      casdoor.directory.addOrganization('beta');
      const post = world.post(chance);
      let before = await rows();
      for (const step of history) {
        await post(() => take(step), step.arrive);
        const after = await rows();
        expectNobodyElses(before, after);
        before = after;
      }
      const report = await world.repair();
      const after = await rows();
      expectNobodyElses(before, after);

      const users = casdoor.directory.state().users.filter(({ owner }) => owner !== 'built-in');
      const isOwner = (user: CasdoorUser) => after.get(user.id)?.tenant === user.owner;
      for (const user of users.filter(isOwner)) expect(after.get(user.id)).toEqual(rowOf(user));
      for (const row of after.values()) {
        if (users.some((user) => user.id === row.id && isOwner(user))) continue;
        expect(row).toMatchObject({ gone: true, username: null, name: null, roles: [], places: [] });
      }
      // Whoever came second has no row, and the report says so.
      expect(report.refused.user).toBe(users.filter((user) => !isOwner(user)).length);
      expect(report.unreadable).toBe(0);
    }),
  );
}, 3_600_000);
