/** Every role's introspection is a schema that graphql-js takes, whatever its permissions leave it. */
import {
  assertValidSchema,
  buildClientSchema,
  getIntrospectionQuery,
  type IntrospectionQuery,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_SESSION, createSession } from '#base/session.ts';
import { startCore, type TestCore } from '../support/core.ts';

const SQL = `
CREATE TABLE holders (id uuid PRIMARY KEY, allowed uuid[], matrix int[][], days date[] NOT NULL, note text);
CREATE TABLE things (id int PRIMARY KEY, holder uuid REFERENCES holders, price double precision, ok boolean);
CREATE TABLE lists (tags varchar[] PRIMARY KEY, at timestamptz[]);
CREATE FUNCTION holder_days(holder_row holders, more date[]) RETURNS date[] LANGUAGE sql STABLE AS 'SELECT more';
CREATE FUNCTION search(words text[]) RETURNS SETOF holders LANGUAGE sql STABLE AS 'SELECT * FROM holders';
`;

const select = (permission: Record<string, unknown>) => ({ columns: [], filter: {}, ...permission });
const ROLES: Readonly<Record<string, { holders: Record<string, unknown>; things: Record<string, unknown> }>> =
  {
    all: {
      holders: {
        select: select({ columns: '*', allow_aggregations: true }),
        insert: { check: {}, columns: '*' },
        update: { columns: '*', filter: {}, check: {} },
        delete: { filter: {} },
      },
      things: {
        select: select({ columns: '*', allow_aggregations: true }),
        insert: { check: {}, columns: '*' },
        update: { columns: '*', filter: {}, check: {} },
        delete: { filter: {} },
      },
    },
    counts: {
      holders: { select: select({ allow_aggregations: true }) },
      things: { select: select({ allow_aggregations: true }) },
    },
    columnless: {
      holders: {
        select: select({}),
        insert: { check: {}, columns: [] },
        update: { columns: [], filter: {}, check: {} },
        delete: { filter: {} },
      },
      things: {
        select: select({}),
        insert: { check: {}, columns: [] },
        update: { columns: [], filter: {}, check: {} },
        delete: { filter: {} },
      },
    },
    // Without a relationship there is nothing at all to give, order or insert by.
    lonely: {
      holders: {
        select: select({ allow_aggregations: true }),
        insert: { check: {}, columns: [], set: { note: 'x' } },
      },
      things: {},
    },
    blind: {
      holders: { insert: { check: {}, columns: [] }, delete: { filter: {} } },
      things: { insert: { check: {}, columns: ['price'] }, update: { columns: [], filter: {} } },
    },
    arrays: {
      holders: { select: select({ columns: ['allowed'] }) },
      things: { select: select({ columns: ['ok'], allow_aggregations: true }) },
    },
    counted: {
      holders: { select: select({ columns: ['id'] }) },
      things: { select: select({ allow_aggregations: true }) },
    },
  };

const permissions = (table: 'holders' | 'things') =>
  Object.fromEntries(
    ['select', 'insert', 'update', 'delete'].map((kind) => [
      `${kind}_permissions`,
      Object.entries(ROLES).flatMap(([role, tables]) =>
        tables[table][kind] === undefined ? [] : [{ role, permission: tables[table][kind] }],
      ),
    ]),
  );

let core: TestCore;
beforeAll(async () => {
  core = await startCore(SQL, {
    tables: [
      {
        table: 'holders',
        array_relationships: [
          { name: 'things', using: { foreign_key_constraint_on: { table: 'things', column: 'holder' } } },
        ],
        computed_fields: [{ name: 'many_days', definition: { function: 'holder_days' } }],
        ...permissions('holders'),
      },
      {
        table: 'things',
        object_relationships: [{ name: 'owner', using: { foreign_key_constraint_on: 'holder' } }],
        ...permissions('things'),
      },
      { table: 'lists' },
    ],
    functions: [{ function: 'search' }],
  });
});
afterAll(() => core.close());

test.each([...Object.keys(ROLES), 'nobody', 'admin'])('of role %s', async (role) => {
  const session = role === 'admin' ? ADMIN_SESSION : createSession(role);
  const answer = await core.query(getIntrospectionQuery(), session);
  const schema = buildClientSchema(answer as IntrospectionQuery);
  expect(() => assertValidSchema(schema)).not.toThrow();
});

test('which has the scalars that only arrays lead to', async () => {
  const { __schema: schema } = (await core.query(
    '{__schema{types{kind name}} }',
    createSession('arrays'),
  )) as { __schema: { types: { kind: string; name: string | null }[] } };
  expect(schema.types).toContainEqual({ kind: 'SCALAR', name: 'uuid' });
  expect(schema.types.filter(({ name, kind }) => name === null || kind === 'LIST')).toEqual([]);
});

test('what a role gives nothing for is taken all the same, as by Hasura', async () => {
  const session = createSession('lonely');
  expect(await core.failure('mutation{insert_holders(objects:[{}]){affected_rows}}', session)).toContain(
    'null value in column',
  );
});

describe('how much introspection may ask', () => {
  const nested = (depth: number): string =>
    depth === 0 ? 'name' : `fields{args{type{name}} type{${nested(depth - 1)}}}`;

  test('grows with the schema, and is bounded all the same', async () => {
    expect(await core.failure(`{__schema{types{${nested(14)}}}}`)).toMatch(/introspection asks for too much/);
  });

  test('checks what it never comes to', async () => {
    expect(await core.failure('{__type(name:"none"){fields{type{nothing}}}}')).toMatch(
      /field 'nothing' not found in type: '__Type'/,
    );
    expect(await core.failure('{__type(name:"Int"){fields{type{nothing}}}}')).toMatch(
      /field 'nothing' not found/,
    );
    expect(await core.failure('{__type(name:"holders"){interfaces{fields{nothing}}}}')).toMatch(
      /'nothing' not found/,
    );
  });

  test('answers an alias of any name', async () => {
    expect(await core.raw('{__type(name:"Int"){__proto__:name a:__typename b:kind c:fields{name}}}')).toBe(
      '{"data":{"__type":{"__proto__":"Int","a":"__Type","b":"SCALAR","c":null}}}',
    );
  });
});
