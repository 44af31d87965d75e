import { type ReconcileBench, startReconcileBench } from '@latchkey/tests/support/reconcile';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { backfill, drift, repair } from '#sync/reconcile.ts';
import { driftOf } from '#sync/report.ts';

let bench: ReconcileBench;
beforeAll(async () => {
  bench = await startReconcileBench();
});
afterAll(() => bench.close());
beforeEach(() => bench.reset());

const NONE = { organization: 0, user: 0, membership: 0 };
const tables = async () =>
  (
    await bench.query(`
      SELECT jsonb_build_object(
        'users', (SELECT jsonb_agg(to_jsonb(u) ORDER BY u.id) FROM public.users u),
        'organizations', (SELECT jsonb_agg(to_jsonb(o) ORDER BY o.id) FROM public.organizations o),
        'memberships', (SELECT jsonb_agg(to_jsonb(m) ORDER BY m.organization_id, m.user_id)
                          FROM public.organization_memberships m)) AS all`)
  )[0]?.all;
const lookups = () =>
  bench.directory.calls.filter(({ path, query }) => /_2/.test(path) || query.has('user_id'));
const at = () => bench.directory.clerk.directory;

/** Twenty users, ten of them in the first of twelve organizations; then each kind of difference once. */
async function diverge() {
  const { users, organizations } = bench.populate({ users: 20, organizations: 12, members: 10 });
  await backfill(bench.context);
  await bench.later();
  const [org = '', renamed = ''] = organizations;
  const [member = '', left = '', deleted = '', changed = ''] = users.slice(9);
  bench.directory.change(() => {
    at().updateUser(changed, { firstName: 'Changed' });
    at().updateOrganization(renamed, { name: 'Renamed' });
    at().deleteUser(deleted);
    at().deleteUser(users[0] ?? '');
  });
  // Its deletion arrived here, and a later state of a membership too.
  await bench.query(
    'UPDATE public.users SET deleted_at = now(), source_updated_at = now(), first_name = NULL, name = NULL WHERE id = $1',
    [users[0]],
  );
  await bench.query(
    `UPDATE public.organization_memberships
       SET deleted_at = NULL, role = 'org:member', source_updated_at = clock_timestamp() WHERE user_id = $1`,
    [users[0]],
  );
  await bench.query('DELETE FROM public.organization_memberships WHERE user_id = $1', [member]);
  await bench.query('DELETE FROM public.users WHERE id = $1', [left]);
  return { users, org, renamed, member, left, deleted, changed, orphan: users[0] ?? '' };
}

describe('drift', () => {
  test('of nothing is nothing, and nobody is asked for by name', async () => {
    bench.populate({ users: 4, organizations: 2, members: 2 });
    await backfill(bench.context);
    const report = await drift(bench.context);
    expect(report).toMatchObject({ listed: { user: 4, organization: 2, membership: 2 }, examples: [] });
    expect(report.stored).toEqual(report.listed);
    expect(driftOf(report)).toBe(0);
    expect(lookups()).toEqual([]);
  });

  test('tells each kind of difference by name, changes no row, and leaves its numbers', async () => {
    const { org, renamed, member, left, deleted, changed, orphan } = await diverge();
    const before = await tables();
    const report = await drift(bench.context);
    expect(report.drift).toEqual({
      missing: { user: 1, organization: 0, membership: 1 },
      stale: { user: 1, organization: 1, membership: 0 },
      extra: { user: 1, organization: 0, membership: 0 },
      orphaned: { user: 0, organization: 0, membership: 1 },
    });
    const expected = [
      { problem: 'missing', key: { kind: 'user', tenant: '', id: left } },
      { problem: 'missing', key: { kind: 'membership', tenant: '', organizationId: org, userId: member } },
      { problem: 'stale', key: { kind: 'user', tenant: '', id: changed } },
      { problem: 'stale', key: { kind: 'organization', tenant: '', id: renamed } },
      { problem: 'extra', key: { kind: 'user', tenant: '', id: deleted } },
      { problem: 'orphaned', key: { kind: 'membership', tenant: '', organizationId: org, userId: orphan } },
    ];
    expect(report.examples).toHaveLength(expected.length);
    expect(report.examples).toEqual(expect.arrayContaining(expected));
    expect(await tables()).toEqual(before);
    const [run] = await bench.query(
      "SELECT finished_at, drift FROM identity.reconciles WHERE task = 'drift'",
    );
    expect(run).toMatchObject({ finished_at: expect.any(Date), drift: report.drift });
  });

  test('does not count that somebody was seen since, which no provider tells each time', async () => {
    const { users } = bench.populate({ users: 2 });
    await backfill(bench.context);
    bench.directory.change(() => at().signIn(users[0] ?? ''));
    expect(driftOf(await drift(bench.context))).toBe(0);
    await repair(bench.context);
    expect(await bench.query('SELECT id FROM public.users WHERE last_seen > source_updated_at')).toEqual([
      { id: users[0] },
    ]);
  });
});

describe('repair', () => {
  test('makes the tables what the provider holds, and nothing is left to repair', async () => {
    const { orphan, deleted } = await diverge();
    const report = await repair(bench.context);
    expect(report.deleted).toEqual({ user: 1, organization: 0, membership: 1 });
    expect(report.written).toEqual({ user: 2, organization: 1, membership: 1 });
    const { users, organizations, memberships } = at().state();
    expect(await bench.live()).toEqual({
      users: users.map(({ id }) => id).sort(),
      organizations: organizations.map(({ id }) => id).sort(),
      memberships: memberships.map((one) => `${one.organization.id} ${one.public_user_data.user_id}`).sort(),
    });
    const tombstones = await bench.query(
      `SELECT id, first_name, name, email, metadata, deleted_at = source_updated_at AS same_clock
         FROM public.users WHERE deleted_at IS NOT NULL ORDER BY id`,
    );
    const nobody = { first_name: null, name: null, email: null, metadata: {}, same_clock: true };
    expect(tombstones).toEqual([orphan, deleted].sort().map((id) => ({ id, ...nobody })));
    expect(driftOf(await drift(bench.context))).toBe(0);
    expect((await repair(bench.context)).written).toEqual(NONE);
  });

  test('dates a deletion to the instant at which the listing began', async () => {
    bench.populate({ users: 30 });
    await backfill(bench.context);
    const gone = at().state().users[3]?.id ?? '';
    bench.directory.change(() => at().deleteUser(gone));
    await bench.later();
    const { startedAt } = await repair(bench.context);
    expect(await bench.query('SELECT deleted_at FROM public.users WHERE deleted_at IS NOT NULL')).toEqual([
      { deleted_at: new Date(startedAt) },
    ]);
  });

  test('deletes nothing where too much would go, says how much, and what allows it', async () => {
    const { users } = bench.populate({ users: 20, organizations: 1, members: 20 });
    await backfill(bench.context);
    bench.directory.change(() => {
      for (const id of users.slice(0, 2)) at().deleteUser(id);
    });
    await bench.later();
    const before = await bench.live();
    await expect(repair(bench.context)).rejects.toThrow(
      expect.objectContaining({
        code: 'repair-refused',
        message: expect.stringMatching(/2 of 20 users: .*10 %.*--provider clerk --deletion-limit 11%/),
      }),
    );
    expect(await bench.live()).toEqual(before);
    expect(
      await bench.query('SELECT finished_at, error, drift FROM identity.reconciles OFFSET 1'),
    ).toMatchObject([
      {
        finished_at: expect.any(Date),
        error: expect.stringContaining('2 of 20'),
        drift: { extra: { user: 2 } },
      },
    ]);

    await repair(bench.context, { deletionLimit: { share: 0.11, rows: 0 } });
    const after = await bench.live();
    expect(after.users).toEqual(users.slice(2).sort());
    expect(after.memberships).toHaveLength(18);
  });

  test('lets a single one go whatever share that is, unless it is the last', async () => {
    const { users } = bench.populate({ users: 5 });
    await backfill(bench.context);
    bench.directory.change(() => at().deleteUser(users[0] ?? ''));
    await bench.later();
    await expect(repair(bench.context, { deletionLimit: { share: 0.1, rows: 0 } })).rejects.toThrow(
      '1 of 5 users: fewer than 10 % may',
    );
    await repair(bench.context);
    expect((await bench.live()).users).toEqual(users.slice(1).sort());

    bench.directory.change(() => {
      for (const id of users.slice(1, 3)) at().deleteUser(id);
    });
    await bench.later();
    await expect(repair(bench.context)).rejects.toThrow('2 of 4 users');
    await repair(bench.context, { deletionLimit: { share: 0.1, rows: 2 } });
    bench.directory.change(() => at().deleteUser(users[3] ?? ''));
    await bench.later();
    await repair(bench.context);
    bench.directory.change(() => at().deleteUser(users[4] ?? ''));
    await bench.later();
    await expect(repair(bench.context)).rejects.toThrow('1 of 1 users');
  });

  test('lets memberships go with their organization, however many they are', async () => {
    const { organizations } = bench.populate({ users: 10, organizations: 12, members: 10 });
    await backfill(bench.context);
    bench.directory.change(() => at().deleteOrganization(organizations[0] ?? ''));
    await bench.later();
    // The database lets them go with it.
    expect((await repair(bench.context)).deleted).toEqual({ user: 0, organization: 1, membership: 0 });
    expect(driftOf(await drift(bench.context))).toBe(0);
  });

  test('deletes everything only where that is allowed', async () => {
    bench.populate({ users: 3, organizations: 1, members: 3 });
    await backfill(bench.context);
    bench.directory.reset();
    await bench.later();
    await expect(repair(bench.context, { deletionLimit: { share: 0.99, rows: 0 } })).rejects.toThrow(
      '3 of 3 users',
    );
    await repair(bench.context, { deletionLimit: { share: 1, rows: 0 } });
    expect(await bench.live()).toEqual({ users: [], organizations: [], memberships: [] });
  });

  test('leaves other providers’ rows alone', async () => {
    await bench.query(
      "INSERT INTO public.users (id, provider, source_updated_at) VALUES ('c1', 'casdoor', 'epoch')",
    );
    bench.populate({ users: 1 });
    await repair(bench.context);
    expect((await bench.live('casdoor')).users).toEqual(['c1']);
  });

  test('asks by name for whom a page has passed over, and keeps them', async () => {
    const { users } = bench.populate({ users: 20, organizations: 1, members: 20 });
    await backfill(bench.context);
    await bench.later();
    const skipped = users[7] ?? '';
    bench.directory.intercept = ({ path, query }) =>
      path === '/v1/users' && !query.has('user_id') ? { keep: ({ id }) => id !== skipped } : undefined;
    const report = await repair(bench.context);
    expect(report.drift.extra.user).toBe(1);
    expect(report.deleted).toEqual(NONE);
    expect(lookups().map(({ path }) => path)).toContain(`/v1/users/${skipped}`);
    expect((await bench.live()).users).toEqual(users.toSorted());
  });
});

describe('what happens while a listing runs', () => {
  /** Lets it happen when the memberships are asked for: users have been listed by then. */
  function afterUsers(happen: () => Promise<void>): void {
    let isDone = false;
    bench.directory.intercept = async ({ path }) => {
      if (path !== '/v1/organization_memberships' || isDone) return undefined;
      isDone = true;
      await happen();
      return undefined;
    };
  }
  const deliverAll = async (body: () => unknown) => {
    for (const message of bench.directory.change(body).messages) {
      await bench.directory.deliver(bench.writer, message);
    }
  };

  test('a user who signs up is not taken for gone', async () => {
    bench.populate({ users: 20 });
    await backfill(bench.context);
    afterUsers(() => deliverAll(() => at().signUp({ firstName: 'New' })));
    const report = await repair(bench.context);
    expect(report).toMatchObject({ stored: { user: 21 }, deleted: NONE, drift: { extra: NONE } });
    expect((await bench.live()).users).toHaveLength(21);
  });

  test('a stub that a membership brought along is asked for by name', async () => {
    bench.populate({ users: 20, organizations: 1 });
    await backfill(bench.context);
    afterUsers(async () => {
      const { messages } = bench.directory.change(() => {
        const { id } = at().signUp({ firstName: 'New' });
        at().setMembership(at().state().organizations[0]?.id ?? '', id, 'org:member');
      });
      // The sign-up itself is lost.
      for (const message of messages.slice(1)) await bench.directory.deliver(bench.writer, message);
    });
    const report = await repair(bench.context);
    expect(report).toMatchObject({ deleted: NONE, drift: { extra: { user: 1 } } });
    expect(await bench.query("SELECT first_name FROM public.users WHERE first_name = 'New'")).toHaveLength(1);
  });

  test('a user who is deleted stays deleted, though the listing had named them', async () => {
    const { users } = bench.populate({ users: 20 });
    afterUsers(() => deliverAll(() => at().deleteUser(users[5] ?? '')));
    await repair(bench.context);
    expect((await bench.live()).users).toEqual(users.toSpliced(5, 1).sort());
  });

  test('a change that a webhook brings is not undone by the earlier state of the listing', async () => {
    const { users } = bench.populate({ users: 3 });
    afterUsers(() => deliverAll(() => at().updateUser(users[0] ?? '', { firstName: 'Later' })));
    await repair(bench.context);
    expect(await bench.query('SELECT first_name FROM public.users WHERE id = $1', [users[0]])).toEqual([
      { first_name: 'Later' },
    ]);
  });
});
