import { fixture } from '@latchkey/tests/support/clerk';
import { type LocalServer, serve } from '@latchkey/tests/support/http';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { IdentityRecord } from '#core/records.ts';
import { clerkListing } from '#providers/clerk/directory.ts';
import type { UnreadableItem } from '#providers/provider.ts';
import { observeRetries, type Wait } from '#providers/with-retry.ts';

let api: LocalServer;
afterEach(() => api.close());

const ROW = z.record(z.string(), z.unknown());
const ADDRESSES = z.object({ email_addresses: z.array(z.unknown()) });
const [user] = z.array(ROW).parse(JSON.parse(fixture('bapi.users.list.json')));
const inList = (name: string) => z.object({ data: z.array(ROW) }).parse(JSON.parse(fixture(name))).data[0];
const users = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ ...user, id: `user_${String(index).padStart(5, '0')}` }));

interface Call {
  path: string;
  query: Record<string, string>;
}

/** What is answered instead: a status, with Clerk's error of a limited rate, or a body of one's own beside it. */
type Answer = number | { status: number; body: string; headers?: Record<string, string> };

/** Clerk's Backend API with these users, one organization and one membership. */
async function serveClerk(all: unknown[], intercept: (call: Call) => Answer = () => 200): Promise<Call[]> {
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
    if (call.path === '/v1/instance') return send(200, { object: 'instance', id: 'ins_1' });
    const answer = intercept(call);
    if (typeof answer === 'object') {
      const headers = { 'content-type': 'application/json', ...answer.headers };
      return response.writeHead(answer.status, headers).end(answer.body);
    }
    if (answer !== 200)
      return send(answer, JSON.parse(fixture('bapi.error.429.json')), { 'retry-after': '0' });

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

const directoryAt = (apiUrl: string) => clerkListing({ secretKey: 'sk_test_1', apiUrl, instanceId: 'ins_1' });

async function everything(cursor?: string) {
  const records: IdentityRecord[] = [];
  const cursors: string[] = [];
  const unreadable: UnreadableItem[] = [];
  const notices: string[] = [];
  for await (const page of directoryAt(api.url).pages(cursor === undefined ? {} : { cursor })) {
    records.push(...page.records);
    cursors.push(page.cursor);
    unreadable.push(...(page.unreadable ?? []));
    if (page.notice !== undefined) notices.push(page.notice);
  }
  return { records, cursors, unreadable, notices };
}

test('organizations, users and memberships come as records, parents first', async () => {
  await serveClerk(users(1));
  expect((await everything()).records).toMatchObject([
    { kind: 'organization', tenant: 'ins_1', id: 'org_2exampleOrg0000000000001', name: 'Example Org' },
    { kind: 'user', tenant: 'ins_1', id: 'user_00000', email: 'ada@example.com', emailVerified: true },
    { kind: 'membership', tenant: 'ins_1', userId: 'user_2exampleUser000000000001', role: 'org:admin' },
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

describe('where Organizations are switched off', () => {
  const off: Answer = { status: 403, body: fixture('bapi.error.403.json') };
  const isAbout = ({ path }: Call) => path.includes('organization');

  test('users alone are listed, which is said', async () => {
    await serveClerk(users(3), (call) => (isAbout(call) ? off : 200));
    const { records, unreadable, notices } = await everything();
    expect(records.map(({ kind }) => kind)).toEqual(['user', 'user', 'user']);
    expect(unreadable).toEqual([]);
    expect(new Set(notices)).toEqual(
      new Set([expect.stringContaining('(organization_not_enabled_in_instance): users alone are listed')]),
    );
    expect(await directoryAt(api.url).total?.()).toBe(3);
  });

  test('while they were being listed, the listing is incomplete', async () => {
    const [organization] = z
      .object({ data: z.array(ROW) })
      .parse(JSON.parse(fixture('bapi.organizations.list.json'))).data;
    const data = Array.from({ length: 500 }, (_, index) => ({ ...organization, id: `org_${index}` }));
    await serveClerk(users(1), ({ path, query }) => {
      if (path !== '/v1/organizations') return 200;
      return query.offset === '0' ? { status: 200, body: JSON.stringify({ data, total_count: 501 }) } : off;
    });
    const { records, unreadable } = await everything();
    expect(records).toHaveLength(502);
    expect(unreadable).toMatchObject([{ name: 'what follows the first 490' }]);
  });

  test('another refusal of the same calls is none of it', async () => {
    const body = '{"errors":[{"message":"no","code":"authorization_invalid"}]}';
    await serveClerk(users(3), (call) => (isAbout(call) ? { status: 403, body } : 200));
    await expect(everything()).rejects.toThrow(/status 403 \(authorization_invalid\)/);
  });
});

describe('one odd item never hides the others', () => {
  const page = (all: unknown[]) => serveClerk(all);
  const good = users(2);

  test.each<[string, unknown, { name: string; reason: string }]>([
    ['null', null, { name: 'user without an id', reason: 'Missing or of the wrong kind: the whole of it.' }],
    [
      'an empty id',
      { ...user, id: '' },
      { name: 'user without an id', reason: 'Missing or of the wrong kind: id.' },
    ],
    [
      'an address for its id',
      { ...user, id: 'ada@example.com', updated_at: null },
      { name: 'user without an id', reason: 'Missing or of the wrong kind: updated_at.' },
    ],
    [
      'no clock',
      { ...user, id: 'user_odd', updated_at: 'yesterday' },
      { name: 'user user_odd', reason: 'Missing or of the wrong kind: updated_at.' },
    ],
    [
      'metadata as deep as nothing can store them',
      { ...user, id: 'user_odd', public_metadata: JSON.parse(`${'{"a":'.repeat(70)}1${'}'.repeat(70)}`) },
      { name: 'user user_odd', reason: 'It is nested too deeply.' },
    ],
  ])('with %s', async (_what, odd, expected) => {
    await page([good[0], odd, good[1]]);
    const { records, unreadable } = await everything();
    expect(records.filter(({ kind }) => kind === 'user')).toMatchObject(good.map(({ id }) => ({ id })));
    expect(unreadable).toEqual([expected]);
  });

  test('of whatever kind: an organization, a membership', async () => {
    await serveClerk(users(1), ({ path }) => {
      const data =
        path === '/v1/organizations'
          ? [{ id: 'org_odd' }, inList('bapi.organizations.list.json')]
          : [
              { role: 'x', public_user_data: { user_id: 'user_1' } },
              { organization: { id: 'ada@example.com' } },
            ];
      return path.startsWith('/v1/organization') ? { status: 200, body: JSON.stringify({ data }) } : 200;
    });
    const { records, unreadable } = await everything();
    expect(records).toMatchObject([{ kind: 'organization' }, { kind: 'user' }]);
    expect(unreadable.map(({ name }) => name)).toEqual([
      'organization org_odd',
      'membership of user_1 in no organization',
      'membership of nobody in no organization',
    ]);
  });

  test('with odd addresses, of which only those are lost', async () => {
    const odd = {
      ...user,
      id: 'user_odd',
      email_addresses: [null, 7, ...ADDRESSES.parse(user).email_addresses],
    };
    await page([odd]);
    expect((await everything()).records[1]).toMatchObject({ id: 'user_odd', email: 'ada@example.com' });
  });

  test('with characters that no database takes, which are replaced', async () => {
    await page([{ ...user, first_name: 'A\u0000da', last_name: '\ud83d' }]);
    expect((await everything()).records[1]).toMatchObject({ firstName: 'A\uFFFDda', lastName: '\uFFFD' });
  });

  test('and pages go on behind it', async () => {
    const all: unknown[] = users(700);
    all[499] = null;
    await page(all);
    const { records, unreadable } = await everything();
    const ids = new Set(records.flatMap((record) => (record.kind === 'user' ? [record.id] : [])));
    expect(ids.size).toBe(699);
    expect(unreadable.length).toBeGreaterThan(0);
  });
});

describe('a failure tells the address, and why', () => {
  test.each<[string, Answer, RegExp]>([
    ['a refusal', 403, /status 403 \(too_many_requests_exception\): check CLERK_SECRET_KEY/],
    [
      'a wrong key',
      { status: 401, body: '{"errors":[{"code":"secret_key_invalid"}]}' },
      /status 401 \(secret_key_invalid\): check CLERK_SECRET_KEY/,
    ],
    ['no Clerk at all', { status: 404, body: '<html>' }, /status 404: check CLERK_API_URL/],
    ['a page of HTML', { status: 200, body: '<html>' }, /something that is not JSON: check CLERK_API_URL/],
    ['no list', { status: 200, body: '{"data":7}' }, /another shape than Clerk’s: check CLERK_API_URL/],
    [
      'a redirect',
      { status: 307, body: '', headers: { location: 'https://elsewhere.example/v1' } },
      /CLERK_API_URL redirects to https:\/\/elsewhere\.example: set it to the final address/,
    ],
  ])('%s', async (_what, answer, message) => {
    let asked = 0;
    await serveClerk([], () => {
      asked += 1;
      return answer;
    });
    const failure = everything();
    await expect(failure).rejects.toThrow(expect.objectContaining({ code: 'provider-unreachable' }));
    await expect(failure).rejects.toThrow(message);
    if (typeof answer !== 'object' || answer.status !== 307) await expect(failure).rejects.toThrow(api.url);
    expect(asked).toBe(1);
  });

  test.each<[string, Answer | undefined, RegExp]>([
    [
      'nothing listens',
      undefined,
      / does not answer: the connection is refused: nothing listens there \(ECONNREFUSED\)$/,
    ],
    ['the rate is limited', 429, / answers with status 429 \(too_many_requests_exception\)$/],
    ['it is down', { status: 503, body: 'down' }, / answers with status 503$/],
  ])('each time it is waited, because %s', async (_what, answer, reason) => {
    await serveClerk([], () => answer ?? 200);
    if (answer === undefined) await api.close();
    const stopping = new AbortController();
    const waits: Wait[] = [];
    const onWait = (wait: Wait) => {
      waits.push(wait);
      stopping.abort(new Error('enough'));
    };
    const { signal } = stopping;
    const listing = observeRetries(onWait, () => Array.fromAsync(directoryAt(api.url).pages({ signal })));
    await expect(listing).rejects.toThrow('enough');
    expect(waits).toMatchObject([{ attempt: 1, reason: expect.stringMatching(reason) }]);
    expect(waits[0]?.reason).toContain(api.url);
  });
});

test('a cursor of another kind is refused', async () => {
  await serveClerk([]);
  await expect(everything('nonsense')).rejects.toThrow(expect.objectContaining({ code: 'request-invalid' }));
});
