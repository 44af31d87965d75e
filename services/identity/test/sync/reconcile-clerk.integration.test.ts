import { reportText } from '@latchkey/scripts/sync/report-text';
import { withoutOrganizations } from '@latchkey/tests/support/clerk-directory';
import { type ReconcileBench, startReconcileBench } from '@latchkey/tests/support/reconcile';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createClerk } from '#providers/clerk/index.ts';
import { deliver } from '#sync/deliver.ts';
import { backfill, drift, repair } from '#sync/reconcile.ts';
import { createReconcileJob } from '#sync/reconcile-job.ts';
import { driftOf } from '#sync/report.ts';
import { CONFIG } from '../support/clerk.ts';

let bench: ReconcileBench;
beforeAll(async () => {
  bench = await startReconcileBench();
});
afterAll(() => bench.close());
beforeEach(() => bench.reset());

const at = () => bench.directory.clerk.directory;
const SWITCHED_OFF = /Organizations are switched off .*organization_not_enabled_in_instance/;

describe('where Organizations are switched off', () => {
  test('everybody comes in, and nothing is amiss', async () => {
    const { users } = bench.populate({ users: 5 });
    bench.directory.intercept = withoutOrganizations;
    for (const task of [backfill, drift, repair]) {
      const report = await task(bench.context);
      expect(report).toMatchObject({ unreadable: 0, unreadableExamples: [], examples: [] });
      expect(driftOf(report)).toBe(0);
      // Once, though each of two lists is refused.
      expect(
        reportText(report)
          .split('\n')
          .filter((line) => SWITCHED_OFF.test(line)),
      ).toHaveLength(1);
    }
    expect((await bench.live()).users).toEqual(users.toSorted());
  });

  test('the scheduled repair tells it too', async () => {
    bench.populate({ users: 1 });
    bench.directory.intercept = withoutOrganizations;
    const { engine, writer } = bench;
    const providers = new Map([['clerk', bench.directory.provider] as const]);
    const job = createReconcileJob({ providers, engine, writer, deletionLimit: { share: 0.1, rows: 1 } });
    expect(await job.run()).toEqual([
      {
        provider: 'clerk',
        status: 'done',
        differences: 1,
        notices: [expect.stringMatching(SWITCHED_OFF)],
      },
    ]);
    await job.close();
  });

  test('those that are stored are not deleted on that word alone', async () => {
    bench.populate({ users: 4, organizations: 3, members: 4 });
    await backfill(bench.context);
    await bench.later();
    const before = await bench.live();
    bench.directory.change(() => at().signUp({ firstName: 'New' }));
    bench.directory.intercept = withoutOrganizations;
    expect((await drift(bench.context)).drift.extra).toEqual({ organization: 3, user: 0, membership: 4 });
    await expect(repair(bench.context)).rejects.toMatchObject({
      code: 'repair-refused',
      message: expect.stringContaining('3 of 3 organizations'),
    });
    const after = await bench.live();
    expect([after.organizations, after.memberships]).toEqual([before.organizations, before.memberships]);
    // Users came in all the same.
    expect(after.users).toHaveLength(5);

    const report = await repair(bench.context, { deletionLimit: { share: 1, rows: 0 } });
    expect(report.deleted).toMatchObject({ organization: 3, user: 0 });
    expect(await bench.live()).toMatchObject({ organizations: [], memberships: [] });
    expect((await bench.live()).users).toHaveLength(5);
  });
});

test('an odd record stops nobody, is named, and nothing is deleted meanwhile', async () => {
  const { users } = bench.populate({ users: 4 });
  await backfill(bench.context);
  await bench.later();
  const [odd = '', gone = '', changed = ''] = users;
  bench.directory.change(() => {
    at().deleteUser(gone);
    at().updateUser(changed, { firstName: 'Changed' });
  });
  const isOdd = (row: unknown) => typeof row === 'object' && row !== null && 'id' in row && row.id === odd;
  bench.directory.intercept = () => ({
    change: (answer) =>
      Array.isArray(answer) ? answer.map((row) => (isOdd(row) ? { ...row, updated_at: null } : row)) : answer,
  });
  const report = await repair(bench.context);
  expect(report).toMatchObject({
    unreadable: 1,
    unreadableExamples: [{ name: `user ${odd}`, reason: 'Missing or of the wrong kind: updated_at.' }],
    written: { user: 1 },
    deleted: { user: 0 },
  });
  expect((await bench.live()).users).toEqual(users.toSorted());
  const [row] = await bench.query('SELECT first_name FROM public.users WHERE id = $1', [changed]);
  expect(row).toEqual({ first_name: 'Changed' });
});

describe('who is banned or locked', () => {
  const disabled = async (id: string) => {
    const [row] = await bench.query(
      'SELECT disabled_at IS NOT NULL AS disabled FROM public.users WHERE id = $1',
      [id],
    );
    return row?.disabled;
  };
  const arrive = (message: { id: string; type: string; body: string } | undefined) =>
    message === undefined
      ? expect.unreachable('nothing was told')
      : bench.directory.deliver(bench.writer, message);
  /** What is told of a change, the user’s own event first. */
  const told = (change: () => unknown) =>
    bench.directory.change(change).messages.toSorted((one) => (one.type === 'user.updated' ? -1 : 1));

  test('is disabled by the event and let in again, whatever comes twice and however late', async () => {
    const { result, messages } = bench.directory.change(() => at().signUp({ firstName: 'Ada' }));
    const { id } = result;
    const [signIn] = told(() => at().signIn(id));
    const [ban, revoked] = told(() => at().banUser(id));
    const [unban] = told(() => at().unbanUser(id));
    const [banAgain] = told(() => at().banUser(id));

    await arrive(messages[0]);
    expect(await disabled(id)).toBe(false);
    await arrive(ban);
    expect(await disabled(id)).toBe(true);
    // These come late: they say nothing of what is since.
    for (const late of [signIn, revoked, ban, messages[0]]) await arrive(late);
    expect(await disabled(id)).toBe(true);
    await arrive(unban);
    for (const late of [ban, revoked, signIn, unban]) await arrive(late);
    expect(await disabled(id)).toBe(false);
    await arrive(banAgain);
    for (const late of [unban, ban, revoked, signIn]) await arrive(late);
    expect(await disabled(id)).toBe(true);
  });

  test('is disabled even if the ban is the first that is heard of them', async () => {
    const { result } = bench.directory.change(() => at().signUp({ firstName: 'Ada' }));
    const [ban] = told(() => at().banUser(result.id));
    await arrive(ban);
    expect(await disabled(result.id)).toBe(true);
  });

  test('is found by a repair where nothing told of it, and so is a lock that has run out', async () => {
    const { users } = bench.populate({ users: 3 });
    const [banned = '', locked = '', other = ''] = users;
    await backfill(bench.context);
    told(() => [at().banUser(banned), at().lockUser(locked)]);
    const first = await repair(bench.context);
    expect(first.drift.stale.user).toBe(2);
    expect(await Promise.all([banned, locked, other].map(disabled))).toEqual([true, true, false]);
    expect(driftOf(await drift(bench.context))).toBe(0);

    told(() => at().lockUser(locked, -1));
    expect((await drift(bench.context)).drift.stale.user).toBe(1);
    await repair(bench.context);
    expect(await Promise.all([banned, locked, other].map(disabled))).toEqual([true, false, false]);
  });

  test('and whose lock has run out is let in by signing in', async () => {
    const { result } = bench.directory.change(() => at().signUp({ firstName: 'Ada' }));
    const [lock] = told(() => at().lockUser(result.id));
    await arrive(lock);
    expect(await disabled(result.id)).toBe(true);
    told(() => at().lockUser(result.id, -1));
    const [signIn] = told(() => at().signIn(result.id));
    await arrive(signIn);
    expect(await disabled(result.id)).toBe(false);
  });
});

test('a deletion without a time of its own is one as of its delivery', async () => {
  const { result, messages } = bench.directory.change(() => at().signUp({ firstName: 'Ada' }));
  const { messages: deletions } = bench.directory.change(() => at().deleteUser(result.id));
  for (const { id, body } of [...messages, ...deletions]) {
    const { timestamp: _, ...event } = JSON.parse(body);
    await bench.directory.deliver(bench.writer, { id, type: '', body: JSON.stringify(event) });
  }
  expect(
    await bench.query('SELECT id, deleted_at IS NOT NULL AS gone, first_name FROM public.users'),
  ).toEqual([{ id: result.id, gone: true, first_name: null }]);
  expect(await bench.query('SELECT status FROM identity.deliveries')).toEqual([
    { status: 'applied' },
    { status: 'applied' },
  ]);
});

test('a delivery of another instance is kept as dead, and changes nothing', async () => {
  const { messages } = bench.directory.change(() => at().signUp({ firstName: 'Ada' }));
  const provider = createClerk({ ...CONFIG, instanceId: 'ins_mine' });
  for (const { id, body } of messages) {
    await deliver(provider.webhooks, bench.writer, { id, provider: 'clerk', body, receivedAt: Date.now() });
  }
  expect(await bench.query('SELECT id FROM public.users')).toEqual([]);
  expect(await bench.query('SELECT status, error FROM identity.deliveries')).toEqual([
    { status: 'dead', error: expect.stringContaining('and CLERK_INSTANCE_ID is ins_mine') },
  ]);
});
