import { fixture, POOL, SUB } from '@latchkey/tests/support/cognito';
import { expect, test } from 'vitest';
import { cognitoListing } from '#providers/cognito/directory.ts';
import type { DirectoryPage } from '#providers/provider.ts';
import { type Answer, type Call, reachCognito } from '../../support/cognito.ts';

const NOW = 1_767_300_000_000;
/** Of what is read at NOW: the listing may be a minute behind. */
const CLOCK = NOW - 60_000;

const user = (sub: string) => ({
  Username: sub,
  Attributes: [{ Name: 'sub', Value: sub }],
  UserCreateDate: 1767225600.123,
});
const subs = Array.from({ length: 150 }, (_, index) => `sub-${index}`);

/** 150 users; the first 70 are editors, the very first is an admin too. Lists end where `Limit` says. */
function bigPool({ operation, input }: Call): Answer {
  const slice = (all: string[], token: unknown) => {
    const from = typeof token === 'string' ? Number(token) : 0;
    const next = from + Number(input.Limit);
    return { page: all.slice(from, next).map(user), next: next < all.length ? String(next) : undefined };
  };
  switch (operation) {
    case 'ListGroups':
      return input.NextToken === undefined
        ? { Groups: [{ GroupName: 'admins' }], NextToken: 'more' }
        : { Groups: [{ GroupName: 'editors' }] };
    case 'ListUsersInGroup': {
      const members = input.GroupName === 'admins' ? subs.slice(0, 1) : subs.slice(0, 70);
      const { page, next } = slice(members, input.NextToken);
      return { Users: page, NextToken: next };
    }
    case 'ListUsers': {
      const { page, next } = slice(subs, input.PaginationToken);
      return { Users: page, PaginationToken: next };
    }
    default:
      return { error: 'AccessDeniedException', message: operation };
  }
}

async function directory(answer: (call: Call) => Answer) {
  const { pools, calls } = await reachCognito(answer);
  let asked = 0;
  return {
    calls,
    pages: cognitoListing(pools, () => {
      asked += 1;
      return NOW + asked;
    }).pages,
  };
}

async function all(pages: AsyncIterable<DirectoryPage>): Promise<DirectoryPage[]> {
  const seen: DirectoryPage[] = [];
  for await (const page of pages) seen.push(page);
  return seen;
}

test('the recorded answers: the group, the user with their role, and the membership', async () => {
  const once = (name: string, { input }: Call) =>
    input.NextToken === undefined && input.PaginationToken === undefined ? fixture(name) : {};
  const { pages } = await directory((call) => once(`api.${call.operation}.json`, call));
  const records = (await all(pages())).flatMap((page) => page.records);
  expect(records).toEqual([
    expect.objectContaining({ kind: 'organization', id: `${POOL}/admins`, name: 'admins', clock: CLOCK + 1 }),
    expect.objectContaining({
      kind: 'user',
      id: SUB,
      email: 'ada@example.com',
      roles: ['admins'],
      clock: CLOCK + 1,
    }),
    expect.objectContaining({
      kind: 'membership',
      userId: SUB,
      organizationId: `${POOL}/admins`,
      clock: CLOCK + 1,
    }),
  ]);
});

test('everything comes once, 60 at a time, organizations first and memberships last', async () => {
  const { pages, calls } = await directory(bigPool);
  const records = (await all(pages())).flatMap((page) => page.records);
  const kinds = records.map(({ kind }) => kind);
  expect([kinds.indexOf('user'), kinds.lastIndexOf('organization')]).toEqual([2, 1]);
  expect([kinds.indexOf('membership'), kinds.lastIndexOf('user')]).toEqual([152, 151]);
  expect(kinds).toHaveLength(2 + 150 + 71);

  const users = records.filter((record) => record.kind === 'user');
  expect(users.map(({ id }) => id)).toEqual(subs);
  expect(users[0]?.roles).toEqual(['admins', 'editors']);
  expect(users[69]?.roles).toEqual(['editors']);
  expect(users[70]?.roles).toEqual([]);
  expect(calls.filter(({ operation }) => operation !== 'ListGroups').map(({ input }) => input.Limit)).toEqual(
    Array(6).fill(60),
  );
});

test("a user's clock is no later than the reading of their groups, and leaves a lagging listing its time", async () => {
  const { pages } = await directory(bigPool);
  const clocks = (await all(pages())).flatMap((page) => page.records.map(({ clock }) => clock));
  expect(new Set(clocks)).toEqual(new Set([CLOCK + 1]));
});

test('a run goes on at its cursor, with the groups read anew', async () => {
  const first = await directory(bigPool);
  const before: DirectoryPage[] = [];
  for await (const page of first.pages()) {
    before.push(page);
    if (page.records.some((record) => record.kind === 'user')) break;
  }
  const cursor = before.at(-1)?.cursor;
  expect(cursor).toBeDefined();

  const second = await directory(bigPool);
  const rest = (await all(second.pages({ cursor: cursor ?? '' }))).flatMap((page) => page.records);
  const users = rest.filter((record) => record.kind === 'user');
  expect(users.map(({ id }) => id)).toEqual(subs.slice(60));
  expect(users[0]?.roles).toEqual(['editors']);
  expect(rest.filter(({ kind }) => kind === 'membership')).toHaveLength(71);
});

test('behind the last user a cursor leads to the memberships alone', async () => {
  const first = await directory(bigPool);
  const cursor = (await all(first.pages())).at(-1)?.cursor ?? '';
  const second = await directory(bigPool);
  const rest = (await all(second.pages({ cursor }))).flatMap((page) => page.records.map(({ kind }) => kind));
  expect(new Set(rest)).toEqual(new Set(['organization', 'membership']));
});

test('throttling slows a run down and does not end it', async () => {
  let left = 1;
  const { pages } = await directory((call) => {
    if (call.operation === 'ListUsers' && left > 0) {
      left -= 1;
      return { error: 'TooManyRequestsException', message: 'Rate exceeded' };
    }
    return bigPool(call);
  });
  const records = (await all(pages())).flatMap((page) => page.records);
  expect(records.filter(({ kind }) => kind === 'user')).toHaveLength(150);
});

test('a group that vanishes while it is read is empty', async () => {
  const { pages } = await directory((call) =>
    call.operation === 'ListUsersInGroup'
      ? { error: 'ResourceNotFoundException', message: 'Group not found.' }
      : bigPool(call),
  );
  const records = (await all(pages())).flatMap((page) => page.records);
  expect(records.filter(({ kind }) => kind === 'membership')).toEqual([]);
});

test('a run can be called off', async () => {
  const { pages } = await directory(bigPool);
  const controller = new AbortController();
  await expect(
    (async () => {
      for await (const _ of pages({ signal: controller.signal })) controller.abort();
    })(),
  ).rejects.toMatchObject({ name: 'AbortError' });
});

test('a foreign cursor is refused', async () => {
  const { pages } = await directory(bigPool);
  await expect(all(pages({ cursor: '{"offset":3}' }))).rejects.toMatchObject({ code: 'request-invalid' });
});

test('a place in the list that Cognito has forgotten is refused, so that the list is begun anew', async () => {
  const { pages } = await directory((call) =>
    call.operation === 'ListUsers' && call.input.PaginationToken !== undefined
      ? { error: 'InvalidParameterException', message: 'Invalid pagination token' }
      : bigPool(call),
  );
  const cursor = JSON.stringify({ pools: [POOL], pool: POOL, at: { part: 'users', start: '60' } });
  await expect(all(pages({ cursor }))).rejects.toMatchObject({ code: 'request-invalid' });
  // Where it is not the start that is wrong, it is nothing of the caller's.
  await expect(all(pages())).rejects.toMatchObject({ code: 'provider-unreachable' });
});

test('about how many users there are is the pool’s own estimate', async () => {
  const { pools } = await reachCognito(({ operation }) =>
    operation === 'DescribeUserPool'
      ? { UserPool: { EstimatedNumberOfUsers: 150 } }
      : { error: 'AccessDeniedException' },
  );
  expect(await cognitoListing(pools).total?.()).toBe(150);
});

test('an answer that never comes is not an empty directory', async () => {
  const { pages } = await directory(() => ({ error: 'AccessDeniedException' }));
  await expect(all(pages())).rejects.toMatchObject({ code: 'provider-unreachable' });
});
