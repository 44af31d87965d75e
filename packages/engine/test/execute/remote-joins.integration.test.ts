import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { as, startCore, type TestCore } from '../support/core.ts';
import { MUSIC_SQL, MUSIC_TABLES, SALES } from '../support/two-sources.ts';

let core: TestCore;
beforeAll(async () => {
  core = await startCore(
    MUSIC_SQL,
    { tables: MUSIC_TABLES },
    {
      others: [SALES],
      env: { HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES: 'true' },
      metadata: {
        inherited_roles: [{ role_name: 'both', role_set: ['half', 'rest'] }],
        custom_types: {
          objects: [
            {
              name: 'Made',
              fields: [{ name: 'id', type: 'Int' }],
              relationships: [
                { name: 'artist', type: 'object', remote_table: 'artist', field_mapping: { id: 'id' } },
              ],
            },
          ],
        },
        actions: [
          {
            name: 'make',
            definition: { handler: 'http://127.0.0.1:1', output_type: 'Made', kind: 'asynchronous' },
          },
        ],
      },
    },
  );
});
afterAll(() => core.close());

const SELLER = as('seller', { 'x-hasura-user-id': 'ann' });

/** What comes of an artist, by `selection`. */
const artist = async (id: number, selection: string, session?: ReturnType<typeof as>) =>
  core.query(`{ artist(where: {id: {_eq: ${id}}}) { ${selection} } }`, session);

describe('what relationships to other sources answer', () => {
  test('one row, or null where there is none or the key is null', async () => {
    const query = '{ artist(order_by: {id: asc}) { id label { __typename title } } }';
    expect(await core.query(query)).toEqual({
      artist: [
        { id: 1, label: { __typename: 'label', title: 'Big' } },
        { id: 2, label: { __typename: 'label', title: 'Two' } },
        { id: 3, label: null },
        { id: 4, label: { __typename: 'label', title: 'Two' } },
      ],
    });
  });

  test('rows, none as an empty list, and null where any part of the key is null', async () => {
    expect(await core.query('{ artist(order_by: {id: asc}) { sales { id } sales_by_key { id } } }')).toEqual({
      artist: [
        { sales: [{ id: 1 }, { id: 2 }, { id: 3 }], sales_by_key: [{ id: 1 }, { id: 2 }, { id: 3 }] },
        { sales: [{ id: 4 }], sales_by_key: [{ id: 4 }] },
        { sales: [], sales_by_key: [] },
        { sales: [], sales_by_key: null },
      ],
    });
  });

  test('arguments hold for each row by itself', async () => {
    const query = `query ($least: numeric!, $n: Int!) {
      artist(where: {id: {_lte: 2}}, order_by: {id: asc}) {
        sales(where: {amount: {_gte: $least}}, order_by: {amount: desc}, limit: $n, offset: 0) { id }
      }
    }`;
    expect(await core.query(query, undefined, { least: 5, n: 1 })).toEqual({
      artist: [{ sales: [{ id: 3 }] }, { sales: [{ id: 4 }] }],
    });
    expect(await core.query(query, undefined, { least: 15, n: 9 })).toEqual({
      artist: [{ sales: [{ id: 3 }, { id: 2 }] }, { sales: [] }],
    });
  });

  test('aggregates', async () => {
    const selection =
      'sales_aggregate(where: {id: {_neq: 3}}) { __typename aggregate { count sum { amount } } nodes { buyer } }';
    expect(await artist(1, selection)).toEqual({
      artist: [
        {
          sales_aggregate: {
            __typename: 'sale_aggregate',
            aggregate: { count: 2, sum: { amount: '30.50' } },
            nodes: [{ buyer: 'ann' }, { buyer: 'ben' }],
          },
        },
      ],
    });
  });

  test('through each other, there and back, and from related rows and aggregates', async () => {
    const query = `{
      label(order_by: {id: asc}) {
        title
        artists(order_by: {id: asc}) { name sales(limit: 1) { artist { albums { title artist { label { title } } } } } }
      }
      album_aggregate(where: {id: {_eq: 3}}) { nodes { artist { label { title } } } }
    }`;
    const bo = {
      name: 'Bo',
      sales: [{ artist: { albums: [{ title: 'Three', artist: { label: { title: 'Two' } } }] } }],
    };
    const big = { artist: { label: { title: 'Big' } } };
    expect(await core.query(query)).toEqual({
      label: [
        { title: 'Two', artists: [bo, { name: 'Di', sales: [] }] },
        {
          title: 'Big',
          artists: [
            {
              name: 'Ada',
              sales: [
                {
                  artist: {
                    albums: [
                      { title: 'One', ...big },
                      { title: 'Two', ...big },
                    ],
                  },
                },
              ],
            },
          ],
        },
      ],
      album_aggregate: { nodes: [{ artist: { label: { title: 'Two' } } }] },
    });
  });

  test('of a table to itself', async () => {
    expect(await artist(1, 'twin { name twin { name } }')).toEqual({
      artist: [{ twin: { name: 'Ada', twin: { name: 'Ada' } } }],
    });
  });

  test('under aliases, by fragments, one relationship twice', async () => {
    const query = `
      query ($with: Boolean!) {
        first: artist_by_pk(id: 1) { ...Sold k0: name id_join_column: id }
        second: artist_by_pk(id: 2) { ...Sold }
        none: artist_by_pk(id: 77) { ...Sold }
      }
      fragment Sold on artist {
        a: sales(where: {buyer: {_eq: "ann"}}, limit: 1) { ...Buyer }
        b: sales(where: {buyer: {_eq: "ben"}}) { ...Buyer }
        b: sales(where: {buyer: {_eq: "ben"}}) { n: id }
        label @include(if: $with) { title }
        label @skip(if: $with) { id }
      }
      fragment Buyer on sale { __typename buyer }`;
    const [ann, ben] = ['ann', 'ben'].map((buyer) => ({ __typename: 'sale', buyer }));
    expect(await core.query(query, undefined, { with: true })).toEqual({
      first: { a: [ann], b: [{ ...ben, n: 2 }], label: { title: 'Big' }, k0: 'Ada', id_join_column: 1 },
      second: { a: [], b: [{ ...ben, n: 4 }], label: { title: 'Two' } },
      none: null,
    });
    expect(await core.query(query, undefined, { with: false })).toMatchObject({
      first: { label: { id: '9007199254740993' } },
    });
  });

  test('in the order of the selection, with nothing but what was selected', async () => {
    const found = await artist(2, 'sales { id } name label { id } ');
    expect(JSON.stringify(found)).toBe('{"artist":[{"sales":[{"id":4}],"name":"Bo","label":{"id":"2"}}]}');
  });

  test('values around a placeholder stay as the database wrote them', async () => {
    const raw = await core.raw(
      '{ album(order_by: {id: asc}) { meta title artist { label { title } sales(where: {id: {_gte: 3}}) { amount } } } }',
    );
    expect(raw).toContain('"meta":{"b": 1.10, "1": "x\\"y"}');
    expect(raw).toContain('"meta":[1,  2]');
    expect(raw).toContain('12345678901234567890.5');
    expect(raw).not.toMatch(/k0/);
  });
});

describe('what relationships to other sources ask', () => {
  test('each one statement, whatever the number of rows, with each key once', async () => {
    core.statements();
    await core.query('{ artist(order_by: {id: asc}) { label { artists { sales { id } } } } }');
    const ran = core.statements();
    expect(ran).toHaveLength(4);
    expect(ran[1]?.values).toEqual([
      expect.stringMatching(/^\[\{"k0" : 9007199254740993\},\{"k0" : 2\}\]$/),
      expect.anything(),
    ]);
  });

  test('nothing where there are no keys', async () => {
    core.statements();
    expect(await artist(3, 'label { title }')).toEqual({ artist: [{ label: null }] });
    expect(await artist(77, 'label { title }')).toEqual({ artist: [] });
    expect(core.statements()).toHaveLength(2);
  });

  test('the statements of a join are the same for all its keys', async () => {
    core.statements();
    await artist(1, 'sales(limit: 2) { id }');
    await artist(2, 'sales(limit: 2) { id }');
    const [, one, , two] = core.statements();
    expect(one?.text).toBe(two?.text);
    expect(one).toMatchInlineSnapshot(`
      {
        "text": "SELECT "t.keys"."n", (SELECT coalesce(json_agg("t.0"), '[]') FROM (SELECT "t.1"."id" AS "id" FROM "public"."sale" AS "t.1" WHERE "t.1"."artist_id" = "t.keys"."k0" LIMIT ($2)::bigint) AS "t.0")::text FROM ROWS FROM (pg_catalog.jsonb_to_recordset(($1)::jsonb) AS ("k0" integer)) WITH ORDINALITY AS "t.keys"("k0", "n")",
        "values": [
          "[{"k0" : 1}]",
          "2",
        ],
      }
    `);
  });
});

describe('permissions', () => {
  test('of the target hold: its rows, its limit, its columns, with the session of the request', async () => {
    const selection =
      'name label { title } sales { amount } sales_aggregate { aggregate { count } nodes { id } }';
    expect(await core.query(`{ artist(order_by: {name: asc}, limit: 2) { ${selection} } }`, SELLER)).toEqual({
      artist: [
        {
          name: 'Ada',
          label: { title: 'Big' },
          sales: [{ amount: '10.50' }],
          sales_aggregate: { aggregate: { count: 2 }, nodes: [{ id: 1 }] },
        },
        { name: 'Bo', label: null, sales: [], sales_aggregate: { aggregate: { count: 0 }, nodes: [] } },
      ],
    });
    expect(await core.failure('{ artist { sales { buyer } } }', SELLER)).toBe(
      "validation-failed $.selectionSet.artist.selectionSet.sales.selectionSet.buyer field 'buyer' not found in type: 'sale'",
    );
  });

  test('a role that may not read the target has no field', async () => {
    expect(await core.failure('{ artist { label { title } } }', as('reader'))).toBe(
      "validation-failed $.selectionSet.artist.selectionSet.label field 'label' not found in type: 'artist'",
    );
  });

  test('of the rows there are needed only where there are keys', async () => {
    const query = '{ artist(where: {name: {_eq: "nobody"}}) { label { title } } }';
    expect(await core.query(query, as('seller'))).toEqual({ artist: [] });
    expect(await core.failure('{ artist { label { title } } }', as('seller'))).toBe(
      'not-found $ missing session variable: "x-hasura-user-id"',
    );
  });

  test('columns that a role sees in some rows only join, where selected, by what it sees', async () => {
    const by = (selection: string) =>
      core.query(`{ artist(where: {id: {_lte: 2}}, order_by: {id: asc}) { ${selection} } }`, as('both'));
    expect(await by('label { title }')).toEqual({
      artist: [{ label: { title: 'Big' } }, { label: { title: 'Two' } }],
    });
    expect(await by('label_id label { title }')).toEqual({
      artist: [
        { label_id: '9007199254740993', label: { title: 'Big' } },
        { label_id: null, label: null },
      ],
    });
  });
});

describe('where relationships to other sources cannot be used', () => {
  const TYPE =
    '{ __type(name: "NAME") { inputFields { name } fields { name args { name } type { kind name ofType { kind name ofType { kind ofType { name } } } } } } }';

  test('in conditions and orders', async () => {
    for (const name of ['artist_bool_exp', 'artist_order_by', 'artist_insert_input']) {
      const found = await core.query(TYPE.replace('NAME', name));
      expect(JSON.stringify(found)).not.toMatch(/sales|label"|twin/);
    }
    expect(await core.failure('{ artist(where: {label: {title: {_eq: "x"}}}) { id } }')).toMatch(
      /^validation-failed \S+ field 'label' not found in type: 'artist_bool_exp'$/,
    );
  });

  test('in subscriptions', async () => {
    expect(() => core.subscription('subscription { artist { label { title } } }')).toThrow(
      'Remote relationships are not allowed in subscriptions',
    );
    expect(() =>
      core.subscription(
        'subscription { artist_stream(batch_size: 1, cursor: {initial_value: {id: 0}}) { sales { id } } }',
      ),
    ).toThrow('Remote relationships are not allowed in subscriptions');
    const make = (selection: string) =>
      core.subscription(
        `subscription { make(id: "7b2c7a6e-0c5e-4a3c-8f39-1d2f1a0b9c11") { output { ${selection} } } }`,
      );
    expect(() => make('artist { id }')).toThrow('Remote relationships are not allowed in subscriptions');
    expect(make('id').kind).toBe('subscription');
  });

  test('in the introspection they are there, nullable as in Hasura', async () => {
    const found = JSON.stringify(await core.query(TYPE.replace('NAME', 'artist')));
    expect(found).toContain(
      '{"name":"label","args":[],"type":{"kind":"OBJECT","name":"label","ofType":null}}',
    );
    expect(found).toContain(
      '{"name":"sales","args":[{"name":"distinct_on"},{"name":"limit"},{"name":"offset"},{"name":"order_by"},{"name":"where"}],' +
        '"type":{"kind":"NON_NULL","name":null,"ofType":{"kind":"LIST","name":null,"ofType":{"kind":"NON_NULL","ofType":{"name":"sale"}}}}}',
    );
    expect(found).toMatch(/"name":"sales_aggregate",.*"ofType":\{"kind":"OBJECT","name":"sale_aggregate"/);
  });
});

describe('mutations', () => {
  test('answer with rows of other sources', async () => {
    const data = await core.query(`mutation {
      insert_artist(objects: [{id: 10, name: "New", label_id: 2}, {id: 11, name: "Newer"}]) {
        affected_rows
        returning { name label { title artists(order_by: {id: asc}) { id } } albums { id } }
      }
      update_artist_by_pk(pk_columns: {id: 10}, _set: {label_id: "9007199254740993"}) { label { title artists { id } } }
      delete_artist(where: {id: {_gte: 10}}) { returning { label { title artists { id } } } }
    }`);
    // Each field is committed when its relationships are read, so these show what it did.
    expect(data).toEqual({
      insert_artist: {
        affected_rows: 2,
        returning: [
          { name: 'New', label: { title: 'Two', artists: [{ id: 2 }, { id: 4 }, { id: 10 }] }, albums: [] },
          { name: 'Newer', label: null, albums: [] },
        ],
      },
      update_artist_by_pk: { label: { title: 'Big', artists: [{ id: 1 }, { id: 10 }] } },
      delete_artist: {
        returning: [{ label: { title: 'Big', artists: [{ id: 1 }] } }, { label: null }],
      },
    });
  });

  test('are not begun where a variable of a relationship does not fit', async () => {
    const query = `mutation ($n: Int!) {
      insert_artist(objects: [{id: 30, name: "Never"}]) { returning { sales(limit: $n) { id } } }
    }`;
    expect(await core.failure(query, undefined, { n: 'many' })).toMatch(/^(validation|parse)-failed/);
    expect(await core.failure(query, undefined, { n: -1 })).toMatch(/^(validation|parse)-failed/);
    expect(await core.sql('SELECT id FROM artist WHERE id = 30')).toEqual([]);
  });

  test('are not undone by what fails later, for each field is by itself', async () => {
    const failure = await core.failure(
      `mutation {
        insert_artist(objects: [{id: 20, name: "Stays", label_id: 2}]) { returning { label { title } } }
        insert_artist_one(object: {id: 20, name: "Twice"}) { name }
      }`,
      SELLER,
    );
    expect(failure).toMatch(/^constraint-violation/);
    expect(await core.sql('DELETE FROM artist WHERE id = 20 RETURNING name')).toEqual([{ name: 'Stays' }]);
  });
});

test('a query that goes back and forth many times ends', async () => {
  const through = (levels: number, [step, ...steps]: string[], end: string): string =>
    levels === 0 || step === undefined ? end : `${step} { ${through(levels - 1, [...steps, step], end)} }`;
  core.statements();
  expect(JSON.stringify(await artist(1, through(40, ['twin'], 'id')))).toContain('{"id":1}');
  expect(core.statements()).toHaveLength(41);
  // Three sales a level: this would be a text of 3^18 ids.
  expect(await core.failure(`{ artist { ${through(36, ['sales', 'artist'], 'id')} } }`)).toMatch(
    /^validation-failed \$ the rows of other sources fill more than 250000000 characters/,
  );
});

test('ten thousand keys are one statement and nothing is lost', async () => {
  await core.sql("INSERT INTO artist SELECT n, 'many', n FROM generate_series(1000, 10999) AS n");
  await core.sql("INSERT INTO label SELECT n, 'l' || n, 'x' FROM generate_series(1000, 10999) AS n", 'sales');
  core.statements();
  const data = await core.query(
    '{ artist(where: {id: {_gte: 1000}}, order_by: {id: asc}) { id label { title } } }',
  );
  expect(core.statements()).toHaveLength(2);
  expect(data).toEqual({
    artist: Array.from({ length: 10_000 }, (_, n) => ({ id: n + 1000, label: { title: `l${n + 1000}` } })),
  });
});
