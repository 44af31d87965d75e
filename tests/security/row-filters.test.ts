import { createGraphqlClient } from '@latchkey/local/graphql-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddedProject, startEmbedded } from '../support/embedded.ts';

/** One person in the state a row can be in. */
type State = 'active' | 'deleted' | 'disabled';
type Membership = { role: 'org:admin' | 'org:member'; deleted: boolean } | undefined;
/** A caller, somebody else and an organization, related in every way there is; each world has its own rows. */
type World = { id: string; me: State; other: State; gone: boolean; mine: Membership; theirs: Membership };

const STATES: readonly State[] = ['active', 'deleted', 'disabled'];
const MEMBERSHIPS: readonly Membership[] = [
  undefined,
  ...(['org:admin', 'org:member'] as const).flatMap((role) => [
    { role, deleted: false },
    { role, deleted: true },
  ]),
];
const WORLDS: readonly World[] = STATES.flatMap((me) =>
  STATES.flatMap((other) =>
    [false, true].flatMap((gone) =>
      MEMBERSHIPS.flatMap((mine) =>
        MEMBERSHIPS.filter((theirs) => theirs?.role !== 'org:admin').map((theirs) => ({
          me,
          other,
          gone,
          mine,
          theirs,
        })),
      ),
    ),
  ),
).map((world, index) => ({ id: `w${index}`, ...world }));

let engine: EmbeddedProject;
beforeAll(async () => {
  engine = await startEmbedded();
  // Without the triggers, which end memberships with their users: the filters must hold by themselves.
  const tables = ['users', 'organizations', 'organization_memberships'];
  await engine.database.query(tables.map((name) => `ALTER TABLE ${name} DISABLE TRIGGER USER;`).join(''));
  await engine.database.query(WORLDS.map(rowsOf).join(''));
});
afterAll(() => engine?.close());

function rowsOf({ id, me, other, gone, mine, theirs }: World): string {
  const at = (is: boolean): string => (is ? 'now()' : 'NULL');
  const user = (name: string, state: State): string =>
    `INSERT INTO users (id, provider, source_updated_at, deleted_at, disabled_at)
     VALUES ('${name}', 'clerk', now(), ${at(state === 'deleted')}, ${at(state === 'disabled')});`;
  const member = (name: string, membership: Membership): string =>
    membership === undefined
      ? ''
      : `INSERT INTO organization_memberships (organization_id, user_id, provider, role, source_updated_at, deleted_at)
         VALUES ('${id}-org', '${name}', 'clerk', '${membership.role}', now(), ${at(membership.deleted)});`;
  return `${user(`${id}-me`, me)}${user(`${id}-other`, other)}
    INSERT INTO organizations (id, provider, source_updated_at, deleted_at)
      VALUES ('${id}-org', 'clerk', now(), ${at(gone)});
    ${member(`${id}-me`, mine)}${member(`${id}-other`, theirs)}`;
}

/** What docs/how-it-works.md promises: nothing to who is out, and of an organization to its members alone. */
function visible({ id, me, other, gone, mine, theirs }: World) {
  const isIn = me === 'active';
  const belongs = isIn && !gone && mine !== undefined && !mine.deleted;
  const leads = belongs && mine.role === 'org:admin';
  const theyBelong = theirs !== undefined && !theirs.deleted && other !== 'deleted';
  return {
    users: isIn ? [{ id: `${id}-me` }] : [],
    organizations: belongs ? [{ id: `${id}-org` }] : [],
    organization_memberships: [
      ...(belongs ? [{ user_id: `${id}-me` }] : []),
      ...(leads && theyBelong ? [{ user_id: `${id}-other` }] : []),
    ],
  };
}

test('each caller sees the rows that are theirs to see and no other, whatever is deleted or disabled', async () => {
  const { endpoint, adminSecret } = engine.config;
  const client = createGraphqlClient(endpoint);
  const query =
    '{ users { id } organizations { id } organization_memberships(order_by: {user_id: asc}) { user_id } }';
  for (const world of WORLDS) {
    const headers = { 'x-hasura-user-id': `${world.id}-me` };
    const { data } = await client.query(query, { adminSecret, role: 'user', headers });
    expect(data, JSON.stringify(world)).toEqual(visible(world));
  }
});
