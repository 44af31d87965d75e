import { createMetadataApi, type MetadataApi } from '@latchkey/scripts/project/metadata-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Person, startThreeProviders, type ThreeProviders } from '../support/three-providers.ts';

let stack: ThreeProviders;
let api: MetadataApi;
let ada: Person;

/** Values that would be something else, were they not written with care. */
const HOSTILE = [
  'a"b',
  "a'b",
  'a\\b',
  'a\\"b',
  '\\',
  '"',
  '{a}',
  '{"a","b"}',
  'a,b',
  'NULL',
  ' ',
  'admin',
  '%',
  '_',
  '$1',
  "'; drop table by_plan; --",
  'X-Hasura-User-Id',
  '\u{1F511}',
  'e\u0301\u2028',
];
/** What one of them would turn into, read with less care. */
const NEIGHBOURS = ['a', 'b', 'a"', '"b', 'ab', '{', '}', '', 'null', 'user'];

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
const rows = (texts: readonly string[]) => texts.map((text) => `(${literal(text)})`).join(', ');
const sql = (statements: string) => api.query('run_sql', { source: 'default', sql: statements });

beforeAll(async () => {
  stack = await startThreeProviders({ LATCHKEY_CLAIMS: 'plan,teams,level' });
  api = createMetadataApi(stack.engine.url, stack.adminSecret);
  ada = await stack.signUp('clerk', 'ada@example.com');
  const values = rows([...HOSTILE, ...NEIGHBOURS]);
  await sql(`
    create table by_plan (plan text primary key);
    create table by_team (team text primary key);
    create table by_organization (organization text primary key);
    create table by_level (level int primary key);
    insert into by_plan values ${values};
    insert into by_team values ${values};
    insert into by_organization values ${rows([...HOSTILE, ...NEIGHBOURS].map((text) => `acme/${text}`))}, ('acme'), ('beta');
    insert into by_level select generate_series(0, 20);`);
  for (const [name, filter] of Object.entries({
    by_plan: { plan: { _eq: 'X-Hasura-Plan' } },
    by_team: { team: { _in: 'X-Hasura-Teams' } },
    by_organization: { organization: { _in: 'X-Hasura-Org-Ids' } },
    by_level: { level: { _lte: 'X-Hasura-Level' } },
  })) {
    const table = { schema: 'public', name };
    await api.metadata('pg_track_table', { table });
    await api.metadata('pg_create_select_permission', {
      table,
      role: 'user',
      permission: { columns: '*', filter },
    });
  }
}, 120_000);
afterAll(() => stack?.close());

/** Tells it at Clerk, whose webhook brings it. */
async function setMetadata(publicMetadata: Record<string, unknown>): Promise<void> {
  stack.clerk.directory.updateUser(ada.id, { publicMetadata });
  await stack.clerk.webhooks.idle();
}
async function seen(query: string, person = ada): Promise<string[] | { codes: string[] }> {
  const { data, codes } = await stack.hasura.query(query, { token: await person.token() });
  if (codes.length > 0) return { codes };
  return Object.values(data ?? {})
    .flat()
    .flatMap((row: unknown) => (typeof row === 'object' && row !== null ? Object.values(row) : []))
    .map(String)
    .toSorted();
}
const plans = () => seen('{ by_plan { plan } }');
const teams = () => seen('{ by_team { team } }');
const sorted = (texts: readonly string[]) => [...texts].toSorted();

describe('a claim', () => {
  test('that is a text is compared as that text and nothing else, whatever it holds', async () => {
    for (const plan of HOSTILE) {
      await setMetadata({ plan });
      expect(await plans(), plan).toEqual([plan]);
    }
  });

  test('that is a list holds each of its texts and nothing else, whatever they hold', async () => {
    await setMetadata({ teams: HOSTILE });
    expect(await teams()).toEqual(sorted(HOSTILE));
    for (const team of HOSTILE) {
      await setMetadata({ teams: [team] });
      expect(await teams(), team).toEqual([team]);
    }
    await setMetadata({ teams: [] });
    expect(await teams()).toEqual([]);
  });

  test.each<[string, unknown]>([
    ['a line break', 'a\nb'],
    ['an end of a header', 'a\r\nx-hasura-role: admin'],
    ['an object', { a: 1 }],
    ['a list of lists', [['a']]],
    ['nothing', null],
    ['a number that has lost digits', 2 ** 60],
    ['more than a header takes', 'a'.repeat(20_000)],
  ])('with %s is an empty text', async (_what, plan) => {
    await setMetadata({ plan });
    expect(await plans()).toEqual(['']);
  });

  test('with NUL, of which PostgreSQL keeps a replacement, is no other text', async () => {
    await setMetadata({ plan: 'a\u0000' });
    expect(await plans()).toEqual([]);
  });

  test.each<[string, unknown]>([
    ['lists', [['a'], ['b']]],
    ['an object', ['a', { b: 1 }]],
    ['nothing', ['a', null]],
    ['a line break', ['a', 'b\n']],
  ])('that is a list with %s in it shows no row', async (_what, list) => {
    await setMetadata({ teams: list });
    expect(await teams()).toEqual({ codes: ['data-exception'] });
  });

  test('that is a number or a boolean is its text, also in a list', async () => {
    await setMetadata({ level: 3 });
    expect(await seen('{ by_level { level } }')).toEqual(['0', '1', '2', '3']);
    await sql("insert into by_team values ('7'), ('true')");
    await setMetadata({ teams: [7, true] });
    expect(await teams()).toEqual(['7', 'true']);
  });

  test('that is not listed reaches Hasura neither from the row nor from the token', async () => {
    await setMetadata({
      role: 'admin',
      'x-hasura-role': 'admin',
      'x-hasura-user-id': 'somebody',
      secret: 'x',
    });
    const token = await ada.signed({
      'https://hasura.io/jwt/claims': {
        'x-hasura-allowed-roles': ['admin', 'user'],
        'x-hasura-default-role': 'admin',
        'x-hasura-role': 'admin',
        'x-hasura-user-id': 'somebody',
        'x-hasura-secret': 'y',
        'x-hasura-org-ids': '{"acme"}',
      },
    });
    const answer = await fetch(`${stack.service.url}/auth/hook`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ headers: { authorization: `Bearer ${token}` } }),
    });
    expect(await answer.json()).toEqual({
      'x-hasura-role': 'user',
      'x-hasura-user-id': ada.id,
      'x-hasura-identity-provider': 'clerk',
      'x-hasura-identity-tenant': expect.any(String),
      'x-hasura-identity-issued-at': expect.stringMatching(/^\d+$/),
      'x-hasura-org-id': '',
      'x-hasura-org-role': '',
      'x-hasura-org-ids': '{}',
      'x-hasura-plan': '',
      'x-hasura-teams': '',
      'x-hasura-level': '',
      'Cache-Control': expect.any(String),
    });
    expect(await seen('{ by_organization { organization } }')).toEqual([]);
  });
});

test('a user sees the rows of their organizations, whatever these are called, and no others', async () => {
  const [bob, eve] = [
    await stack.signUp('casdoor', 'bob@example.com'),
    await stack.signUp('casdoor', 'eve@example.com'),
  ];
  const groups = HOSTILE.map((name) => `acme/${name}`);
  const of = (person: Person, organization: string) =>
    `(${literal(organization)}, ${literal(person.id)}, 'casdoor', 'acme', 'org:member', now())`;
  await sql(`
    insert into organizations (id, provider, tenant, source_updated_at)
      select id, 'casdoor', 'acme', now() from (values ${rows(groups)}) as named (id);
    insert into organizations (id, provider, tenant, source_updated_at) values ('beta', 'casdoor', 'beta', now());
    insert into organization_memberships (organization_id, user_id, provider, tenant, role, source_updated_at)
      values ${groups.map((group) => of(bob, group)).join(', ')};
    insert into organization_memberships (organization_id, user_id, provider, tenant, role, source_updated_at)
      values ('beta', ${literal(eve.id)}, 'casdoor', 'beta', 'org:admin', now());`);
  const organizations = (person: Person) => seen('{ by_organization { organization } }', person);
  expect(await organizations(bob)).toEqual(sorted(['acme', ...groups]));
  // What another owner's organization says of her does not count.
  expect(await organizations(eve)).toEqual(['acme']);
});
