import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { IdentityRecord } from '../../../../../../services/identity/core/records.ts';
import { clerkDirectory } from '../../../../../../services/identity/providers/clerk/directory.ts';
import { fixture } from '../../../../../support/clerk.ts';
import { type LocalServer, serve } from '../../../../../support/http.ts';

let api: LocalServer;
afterEach(() => api.close());

const ROW = z.record(z.string(), z.unknown());
const [user] = z.array(ROW).parse(JSON.parse(fixture('bapi.users.list.json')));
const inList = (name: string) => z.object({ data: z.array(ROW) }).parse(JSON.parse(fixture(name))).data[0];
const users = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ ...user, id: `user_${String(index).padStart(5, '0')}` }));

interface Call {
  path: string;
  query: Record<string, string>;
}

/** Clerk's Backend API with this many users, one organization and one membership. */
async function serveClerk(all: unknown[], intercept: (call: Call) => number = () => 200): Promise<Call[]> {
  const calls: Call[] = [];
  api = await serve((request, response) => {
    const url = new URL(request.url ?? '/', 'http://clerk');
    const call = { path: url.pathname, query: Object.fromEntries(url.searchParams) };
    calls.push(call);
    const send = (status: number, body: unknown, headers = {}) =>
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify(body));
    if (request.headers.authorization !== 'Bearer sk_test_1') return send(401, { errors: [] });
    const status = intercept(call);
    if (status !== 200)
      return send(status, JSON.parse(fixture('bapi.error.429.json')), { 'retry-after': '0' });

    const page = (rows: unknown[]) => {
      const offset = Number(call.query.offset ?? 0);
      return rows.slice(offset, offset + Number(call.query.limit ?? 10));
    };
    if (call.path === '/v1/users') return send(200, page(all));
    if (call.path === '/v1/users/count') return send(200, { object: 'total_count', total_count: all.length });
    const name = `bapi.${call.path.slice('/v1/'.length)}.list.json`;
    return send(200, { data: page([inList(name)]), total_count: 1 });
  });
  return calls;
}

async function everything(cursor?: string): Promise<{ records: IdentityRecord[]; cursors: string[] }> {
  const directory = clerkDirectory({ secretKey: 'sk_test_1', apiUrl: api.url, instanceId: '' });
  const records: IdentityRecord[] = [];
  const cursors: string[] = [];
  for await (const page of directory.pages(cursor === undefined ? {} : { cursor })) {
    records.push(...page.records);
    cursors.push(page.cursor);
  }
  return { records, cursors };
}

test('organizations, users and memberships come as records, parents first', async () => {
  await serveClerk(users(1));
  expect((await everything()).records).toMatchObject([
    { kind: 'organization', id: 'org_2exampleOrg0000000000001', name: 'Example Org' },
    { kind: 'user', id: 'user_00000', email: 'ada@example.com', emailVerified: true },
    { kind: 'membership', userId: 'user_2exampleUser000000000001', role: 'org:admin' },
  ]);
});

test('every user comes, over as many pages as it takes', async () => {
  const calls = await serveClerk(users(1200));
  const { records } = await everything();
  const ids = new Set(records.flatMap((record) => (record.kind === 'user' ? [record.id] : [])));
  expect(ids.size).toBe(1200);
  expect(calls.filter(({ path }) => path === '/v1/users').map(({ query }) => query)).toEqual([
    expect.objectContaining({ limit: '500', order_by: '+created_at' }),
    expect.objectContaining({ limit: '500', offset: '490' }),
    expect.objectContaining({ limit: '500', offset: '980' }),
  ]);
});

test('users deleted between two pages hide nobody', async () => {
  const all = users(1200);
  await serveClerk(all, ({ query }) => {
    if (query.offset === '490') all.splice(0, 5);
    return 200;
  });
  const ids = new Set((await everything()).records.map((record) => ('id' in record ? record.id : '')));
  for (const { id } of users(1200)) expect(ids).toContain(id);
});

test('a run goes on where an earlier one stopped', async () => {
  await serveClerk(users(700));
  const { cursors } = await everything();
  const { records } = await everything(cursors[1]);
  expect(records.map((record) => ('id' in record ? record.id : record.kind))).toEqual([
    ...users(700)
      .slice(490)
      .map(({ id }) => id),
    'membership',
  ]);
  expect((await everything(cursors.at(-1))).records).toEqual([]);
});

test('a limited rate is waited for', async () => {
  let refusals = 2;
  await serveClerk(users(1), () => (refusals-- > 0 ? 429 : 200));
  expect((await everything()).records).toHaveLength(3);
});

test('a refusal names the settings to look at', async () => {
  await serveClerk(users(1), () => 403);
  await expect(everything()).rejects.toThrow(
    expect.objectContaining({
      code: 'provider-unreachable',
      message: expect.stringContaining('CLERK_SECRET_KEY'),
    }),
  );
});

test('a cursor of another kind is refused', async () => {
  await serveClerk([]);
  await expect(everything('nonsense')).rejects.toThrow(expect.objectContaining({ code: 'request-invalid' }));
});
