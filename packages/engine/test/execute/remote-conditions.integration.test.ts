/** Permissions that look through a relationship to another source. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { as, startCore, type TestCore } from '../support/core.ts';
import { MUSIC_SQL, SALES } from '../support/two-sources.ts';

const toSource = (name: string, field_mapping: Record<string, string>, table = 'label') => ({
  name,
  definition: { to_source: { relationship_type: 'object', source: 'sales', table, field_mapping } },
});
const select = (role: string, filter: unknown) => ({ role, permission: { columns: '*', filter } });
const owner = (...[operators]: [unknown]) => ({ label: { owner: operators } });

const FILTERS: Record<string, unknown> = {
  eq: owner({ _eq: 'X-Hasura-User-Id' }),
  neq: owner({ _neq: 'ann' }),
  range: owner({ _gte: 'ann', _lt: 'ben' }),
  in: owner({ _in: ['X-Hasura-User-Id', 'nobody'] }),
  nin: owner({ _nin: ['ann'] }),
  like: owner({ _like: 'b%' }),
  nlike: owner({ _nlike: 'b%' }),
  null: owner({ _is_null: false }),
  not: { _not: owner({ _eq: 'X-Hasura-User-Id' }) },
  or: { _or: [{ id: { _eq: 3 } }, owner({ _eq: 'X-Hasura-User-Id' })] },
  exists: { _exists: { _table: 'album', _where: { artist: owner({ _eq: 'X-Hasura-User-Id' }) } } },
  own: { label: { id: { _eq: 'X-Hasura-User-Id' } } },
};

/** What the planner refuses, and what it says. */
const UNSUPPORTED: Record<string, [filter: unknown, reason: RegExp]> = {
  two_columns: [{ label: { owner: { _eq: 'a' }, title: { _eq: 'a' } } }, /Expected the remote relationship/],
  no_column: [{ label: {} }, /Expected the remote relationship/],
  deep: [{ label: { artists: { id: { _eq: '1' } } } }, /"artists" does not exist/],
  operator: [owner({ _ilike: 'a' }), /Expected one of the supported operators/],
  number: [{ label: { id: { _eq: 2 } } }, /expected a session variable or a text, found 2/],
  one_of: [owner({ _in: 'X-Hasura-Ids' }), /expected a list/],
  pair: [{ pair: { owner: { _eq: 'a' } } }, /should have exactly one column/],
  computed: [{ computed: { owner: { _eq: 'a' } } }, /should not have computed field/],
};

let core: TestCore;
beforeAll(async () => {
  core = await startCore(
    MUSIC_SQL,
    {
      tables: [
        {
          table: 'artist',
          computed_fields: [{ name: 'key', definition: { function: 'artist_key' } }],
          remote_relationships: [
            toSource('label', { label_id: 'id' }),
            toSource('pair', { label_id: 'id', name: 'title' }),
            toSource('computed', { key: 'title' }),
            toSource('sale', { id: 'artist_id' }, 'sale'),
          ],
          select_permissions: [
            ...Object.entries(FILTERS).map(([role, filter]) => select(role, filter)),
            ...Object.entries(UNSUPPORTED).map(([role, [filter]]) => select(role, filter)),
            select('writer', {}),
          ],
          insert_permissions: [
            { role: 'writer', permission: { columns: '*', check: owner({ _eq: 'X-Hasura-User-Id' }) } },
          ],
          update_permissions: [
            {
              role: 'writer',
              permission: { columns: ['name'], filter: owner({ _eq: 'X-Hasura-User-Id' }), check: {} },
            },
          ],
          delete_permissions: [
            { role: 'writer', permission: { filter: owner({ _eq: 'X-Hasura-User-Id' }) } },
          ],
        },
        {
          table: 'album',
          object_relationships: [{ name: 'artist', using: { foreign_key_constraint_on: 'artist_id' } }],
          select_permissions: [select('eq', {})],
        },
      ],
    },
    {
      others: [
        {
          name: 'sales',
          sql: SALES.sql,
          tables: [
            {
              table: 'label',
              remote_relationships: [
                {
                  name: 'artists',
                  definition: {
                    to_source: {
                      relationship_type: 'array',
                      source: 'default',
                      table: 'artist',
                      field_mapping: { id: 'label_id' },
                    },
                  },
                },
              ],
              select_permissions: [select('eq', {})],
            },
            { table: 'sale' },
          ],
        },
      ],
    },
  );
});
afterAll(() => core.close());

const ids = async (role: string, user = 'ann') => {
  const data = await core.query(
    '{ artist(order_by: {id: asc}) { id } }',
    as(role, { 'x-hasura-user-id': user }),
  );
  return JSON.stringify(data).match(/\d+/g)?.map(Number) ?? [];
};

describe('rows', () => {
  // Ada's label is ann's; that of Bo and Di is ben's; Cy has none.
  test.each<[string, string, number[]]>([
    ['eq', 'ann', [1]],
    ['eq', 'ben', [2, 4]],
    ['eq', 'nobody', []],
    ['eq', `'; DROP TABLE label; --`, []],
    ['neq', 'x', [2, 4]],
    ['range', 'x', [1]],
    ['in', 'ben', [2, 4]],
    ['nin', 'x', [2, 4]],
    ['like', 'x', [2, 4]],
    ['nlike', 'x', [1]],
    ['null', 'x', [1, 2, 4]],
    ['not', 'ann', [2, 4]],
    // As in Hasura: where nothing is found there, nothing is known to be outside of it.
    ['not', 'nobody', []],
    ['or', 'ann', [1, 3]],
    ['exists', 'ben', [1, 2, 3, 4]],
    ['exists', 'nobody', []],
    ['own', '9007199254740993', [1]],
  ])('of role %s, as user %s, are %j', async (role, user, expected) => {
    expect(await ids(role, user)).toEqual(expected);
  });

  test('are those of the moment', async () => {
    await core.sql("UPDATE label SET owner = 'cleo' WHERE id = 2", 'sales');
    expect(await ids('eq', 'cleo')).toEqual([2, 4]);
    await core.sql("UPDATE label SET owner = 'ben' WHERE id = 2", 'sales');
    expect(await ids('eq', 'cleo')).toEqual([]);
  });

  test('behind relationships, of one source or several', async () => {
    const session = as('eq', { 'x-hasura-user-id': 'ann' });
    expect(await core.query('{ album(order_by: {id: asc}) { id artist { id } } }', session)).toEqual({
      album: [
        { id: 1, artist: { id: 1 } },
        { id: 2, artist: { id: 1 } },
        { id: 3, artist: null },
      ],
    });
    expect(await core.query('{ label(order_by: {id: asc}) { title artists { id } } }', session)).toEqual({
      label: [
        { title: 'Two', artists: [] },
        { title: 'Big', artists: [{ id: 1 }] },
      ],
    });
  });
});

test('the other source is asked once, with the value as a parameter', async () => {
  core.statements();
  await core.query('{ a: artist { id } b: artist { id } }', as('eq', { 'x-hasura-user-id': 'ann' }));
  const [asked, ...others] = core.statements();
  expect(asked).toMatchInlineSnapshot(`
    {
      "text": "SELECT DISTINCT "t.0"."id"::text FROM "public"."label" AS "t.0" WHERE ("t.0"."owner" = ($1)::text)",
      "values": [
        "ann",
      ],
    }
  `);
  expect(others.map(({ values }) => values)).toMatchInlineSnapshot(`
    [
      [
        "{9007199254740993}",
        "{9007199254740993}",
      ],
    ]
  `);
});

describe('writes', () => {
  const WRITER = as('writer', { 'x-hasura-user-id': 'ben' });

  test('are checked', async () => {
    const insert = (label: string) =>
      `mutation { insert_artist_one(object: {id: 50, name: "x", label_id: ${label}}) { id } }`;
    expect(await core.failure(insert('"9007199254740993"'), WRITER)).toBe(
      'permission-error $.selectionSet.insert_artist_one.args.object check constraint of an insert/update permission has failed',
    );
    expect(await core.query(insert('2'), WRITER)).toEqual({ insert_artist_one: { id: 50 } });
  });

  test('reach the rows they may reach', async () => {
    const data = await core.query(
      'mutation { update_artist(where: {}, _set: {name: "y"}) { returning { id } } delete_artist(where: {id: {_gte: 4}}) { affected_rows } }',
      WRITER,
    );
    expect(data).toEqual({
      update_artist: { returning: expect.arrayContaining([{ id: 2 }, { id: 4 }, { id: 50 }]) },
      delete_artist: { affected_rows: 2 },
    });
    expect(await core.sql("SELECT id FROM artist WHERE name <> 'y' ORDER BY id")).toEqual([
      { id: 1 },
      { id: 3 },
    ]);
  });
});

describe('what is not done', () => {
  test.each(Object.entries(UNSUPPORTED))('%s grants nothing and is told', async (role, [, reason]) => {
    const told = core.inconsistencies.find(({ name }) => name.includes(` ${role} in table artist`));
    expect(told?.reason).toMatch(reason);
    expect(await core.failure('{ artist { id } }', as(role))).toMatch(/field 'artist' not found/);
  });

  test('nothing else is inconsistent', () => {
    expect(core.inconsistencies).toHaveLength(Object.keys(UNSUPPORTED).length);
  });

  test('subscriptions', () => {
    const session = as('eq', { 'x-hasura-user-id': 'ann' });
    expect(() => core.subscription('subscription { artist { id } }', session)).toThrow(
      'subscriptions on this field is not supported',
    );
    expect(() => core.subscription('subscription { album { artist { id } } }', session)).toThrow(
      'subscriptions on this field is not supported',
    );
    expect(core.subscription('subscription { album { id } }', session).kind).toBe('subscription');
  });

  test('the old query APIs', async () => {
    const session = as('eq', { 'x-hasura-user-id': 'ann' });
    await expect(core.rows('select', { table: 'artist', columns: ['id'] }, session)).rejects.toThrow(
      'Remote relationships permission checks not implemented yet',
    );
  });

  test('a session variable that is missing is an error', async () => {
    expect(await core.failure('{ artist { id } }', as('eq'))).toBe(
      'not-found $ missing session variable: "x-hasura-user-id"',
    );
  });
});
