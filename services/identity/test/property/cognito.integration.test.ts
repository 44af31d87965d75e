import { POOL } from '@latchkey/tests/support/cognito';
import { type EmbeddedProject, startEmbedded } from '@latchkey/tests/support/embedded';
import type { LocalServer } from '@latchkey/tests/support/http';
import { holds } from '@latchkey/tests/support/property';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHasuraClient, type HasuraClient } from '#hasura/client.ts';
import { cognitoDeliveries } from '#providers/cognito/deliveries.ts';
import { cognitoListing } from '#providers/cognito/directory.ts';
import { createCognito } from '#providers/cognito/index.ts';
import { cognitoLookup } from '#providers/cognito/lookup.ts';
import { connectPools } from '#providers/cognito/pools.ts';
import type { CompleteProvider } from '#providers/provider.ts';
import { deliver } from '#sync/deliver.ts';
import { repair } from '#sync/reconcile.ts';
import { createWriter, type Writer } from '#sync/writer.ts';
import { configAt, serveCognito } from '../support/cognito.ts';
import { createLaggingPool, type PoolMember, type PoolState } from './lagging-pool.ts';

// Cognito's deliveries only say where to look, its lists show what was up to a minute ago, and some
// changes are told by none. Time passes here as the history says.

let project: EmbeddedProject;
let engine: HasuraClient;
let writer: Writer;
let server: LocalServer;
let provider: CompleteProvider;
const pool = createLaggingPool();
beforeAll(async () => {
  [project, server] = await Promise.all([startEmbedded(), serveCognito(pool.answer)]);
  engine = createHasuraClient(project.config);
  writer = createWriter(engine, { inFlight: 2, queueLimit: 1000 });
  const config = configAt(server.url);
  const pools = connectPools(config);
  const cognito = createCognito(config, engine);
  provider = {
    ...cognito,
    webhooks: { ...cognito.webhooks, parse: cognitoDeliveries(pools, engine, pool.now) },
    directory: { ...cognitoListing(pools, pool.now), lookup: cognitoLookup(pools, pool.now) },
  };
});
afterAll(async () => {
  await server?.close();
  await project?.close();
});

const ACTS = [
  'create user',
  'sign up',
  'confirm',
  'update user',
  'disable',
  'enable',
  'delete user',
  'join',
  'leave',
  'delete group',
] as const;

interface Step {
  act: (typeof ACTS)[number];
  user: string;
  group: string;
  text: string;
  /** Whether an event tells of it. */
  isTold: boolean;
  /** How many of the events on their way arrive after it. */
  arrive: number;
  /** Whether the last one that has arrived arrives once more. */
  isRepeated: boolean;
  /** What passes before the next step, and how far the lists are behind then, in seconds. */
  seconds: number;
  lag: number;
}

const step = (isTold: fc.Arbitrary<boolean>) =>
  fc.record<Step>({
    act: fc.constantFrom(...ACTS),
    user: fc.nat(2).map((index) => `sub-${index}`),
    group: fc.nat(1).map((index) => `group-${index}`),
    text: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 4 }),
    isTold,
    arrive: fc.nat(3),
    isRepeated: fc.boolean(),
    seconds: fc.nat(40),
    lag: fc.nat(59),
  });
const steps = (isTold: fc.Arbitrary<boolean>) =>
  fc.array(step(isTold), { minLength: 1, maxLength: 14, size: 'max' });

/** @returns the event that CloudTrail would record */
function take({ act, user, group, text }: Step): { type: string; data: Record<string, string> } | undefined {
  const [exists, hasGroup] = [pool.current().users.has(user), pool.current().groups.has(group)];
  const member = { name: text, groups: new Set<string>(), enabled: true, isConfirmed: true };
  const update = (type: string, what: Partial<PoolMember>) => {
    if (!exists) return undefined;
    pool.change(({ users }) => users.set(user, { ...member, ...users.get(user), ...what }));
    return { type, data: { sub: user } };
  };
  switch (act) {
    case 'create user':
      if (exists) return undefined;
      pool.change(({ users }) => users.set(user, member));
      return { type: 'AdminCreateUser', data: { sub: user } };
    case 'sign up':
      if (!exists) pool.change(({ users }) => users.set(user, { ...member, isConfirmed: false }));
      return undefined;
    case 'confirm':
      return update('AdminConfirmSignUp', { isConfirmed: true });
    case 'update user':
      return update('AdminUpdateUserAttributes', { name: text });
    case 'disable':
      return update('AdminDisableUser', { enabled: false });
    case 'enable':
      return update('AdminEnableUser', { enabled: true });
    case 'delete user':
      if (!exists) return undefined;
      pool.change(({ users }) => users.delete(user));
      return { type: 'AdminDeleteUser', data: { sub: user } };
    case 'join':
      if (!exists) return undefined;
      pool.change(({ users, groups }) => {
        groups.add(group);
        users.get(user)?.groups.add(group);
      });
      return { type: 'AdminAddUserToGroup', data: { sub: user, groupName: group } };
    case 'leave':
      if (!exists) return undefined;
      pool.change(({ users }) => users.get(user)?.groups.delete(group));
      return { type: 'AdminRemoveUserFromGroup', data: { sub: user, groupName: group } };
    case 'delete group':
      if (!hasGroup) return undefined;
      pool.change(({ users, groups }) => {
        groups.delete(group);
        for (const one of users.values()) one.groups.delete(group);
      });
      return { type: 'DeleteGroup', data: { groupName: group } };
  }
}

async function happen(history: Step[]): Promise<void> {
  await project.database.query(
    'TRUNCATE public.users, public.organizations, identity.deliveries, identity.reconciles CASCADE',
  );
  // So long ago that the whole history lies in the past of the reconcile.
  pool.reset(Date.now() - 3_600_000);
  const underWay: string[] = [];
  let last: string | undefined;
  let delivered = 0;
  const arrive = async (body: string | undefined): Promise<void> => {
    if (body === undefined) return;
    pool.pass(0.001);
    delivered += 1;
    const delivery = { id: `evt_${delivered}`, provider: 'cognito', body, receivedAt: pool.now() } as const;
    await deliver(provider.webhooks, writer, delivery);
    last = body;
  };
  for (const one of history) {
    pool.pass(one.seconds);
    pool.lag(one.lag);
    const event = take(one);
    if (event !== undefined && one.isTold) {
      underWay.push(JSON.stringify({ ...event, timestamp: new Date(pool.now()).toISOString() }));
    }
    for (let index = 0; index < one.arrive; index += 1) await arrive(underWay.shift());
    if (one.isRepeated) await arrive(last);
  }
  while (underWay.length > 0) await arrive(underWay.shift());
}

function modelOf({ users: all, groups }: PoolState) {
  const users = [...all].filter(([, { isConfirmed }]) => isConfirmed);
  return {
    users: users
      .map(([id, { name, groups: own, enabled }]) => ({
        id,
        name,
        roles: [...own].sort(),
        is_disabled: !enabled,
      }))
      .sort(byId),
    organizations: [...groups].map((name) => ({ id: `${POOL}/${name}` })).sort(byId),
    memberships: users
      .flatMap(([id, { groups: own }]) => [...own].map((name) => ({ id: `${POOL}/${name} ${id}` })))
      .sort(byId),
  };
}
function byId(one: { id: string }, other: { id: string }): number {
  return one.id < other.id ? -1 : 1;
}

/** The live rows. @param onlyVisible without the memberships of whoever is deleted, whose end nobody tells */
async function rows(onlyVisible: boolean) {
  const read = async (sql: string, parameters: unknown[] = []) => {
    const found = await project.database.query(sql, parameters);
    return found.map((row) => ({ ...row, id: String(row.id) })).sort(byId);
  };
  return {
    users: await read(
      'SELECT id, name, roles, disabled_at IS NOT NULL AS is_disabled FROM public.users WHERE deleted_at IS NULL',
    ),
    organizations: await read('SELECT id FROM public.organizations WHERE deleted_at IS NULL'),
    memberships: await read(
      `SELECT organization_id || ' ' || user_id AS id FROM public.organization_memberships m
         JOIN public.users u ON u.id = user_id JOIN public.organizations o ON o.id = organization_id
        WHERE m.deleted_at IS NULL AND NOT ($1 AND (u.deleted_at IS NOT NULL OR o.deleted_at IS NOT NULL))`,
      [onlyVisible],
    ),
  };
}

/** It ends by itself much sooner, unless it was told to go on (see property.ts). */
const LONG = 3_600_000;

test(
  'events of everything, late and with lists that lag behind, end in what the pool holds, with no reconcile',
  async () => {
    await holds(
      'Cognito, all told',
      fc.asyncProperty(steps(fc.constant(true)), async (history) => {
        await happen(history);
        const { users, memberships } = modelOf(pool.current());
        // A group that nobody has joined yet is told by no event of ours.
        expect(await rows(true)).toMatchObject({ users, memberships });
      }),
    );
  },
  LONG,
);

test(
  'with any of them lost, one reconcile ends in exactly what the pool holds',
  async () => {
    await holds(
      'Cognito, some lost',
      fc.asyncProperty(steps(fc.boolean()), fc.nat(59), async (history, lag) => {
        await happen(history);
        // What was read within the last minute may be newer than what a listing can tell.
        pool.pass(61);
        pool.lag(lag);
        await repair({ provider, engine, writer }, { deletionLimit: { share: 1, rows: 0 } });
        expect(await rows(false)).toEqual(modelOf(pool.current()));
      }),
    );
  },
  LONG,
);
