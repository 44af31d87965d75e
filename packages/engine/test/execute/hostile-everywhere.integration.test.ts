/**
 * Hostile values under every operator of every type, found by introspection, so that none that is added is
 * forgotten; under every operator of permissions, as session variables; and hostile names of everything that
 * has one.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { as, startCore, type TestCore } from '../support/core.ts';
import {
  COLUMN,
  COLUMNS,
  hostile,
  KEY,
  MARK,
  ROLES,
  SOURCE,
  SQL,
  TABLE,
  table,
  VALUES,
  VARIABLE,
} from '../support/hostile-database.ts';

let core: TestCore;
beforeAll(async () => {
  core = await startCore(SQL, SOURCE);
});
afterAll(() => core.close());

async function isSafe(query: string, variables: Record<string, unknown> = {}, session = as('admin')) {
  core.statements();
  const outcome = await core.failure(query, session, variables);
  for (const { text } of core.statements()) expect(text).not.toContain(MARK);
  // A request that was not understood would prove nothing.
  expect(outcome).not.toMatch(/not found in type|no argument named|is declared as|not a valid graphql query/);
  expect(outcome).not.toContain('internal server error');
}

afterEach(async () => {
  expect(await core.sql('SELECT count(*)::int AS n FROM everything WHERE id = 1')).toEqual([{ n: 1 }]);
});

interface InputType {
  readonly kind: string;
  readonly name: string | null;
  readonly ofType?: InputType | null | undefined;
}
const inputType: z.ZodType<InputType> = z.lazy(() =>
  z.object({ kind: z.string(), name: z.string().nullable(), ofType: inputType.nullish() }),
);
const types = z.object({
  __schema: z.object({
    types: z.array(
      z.object({
        name: z.string(),
        inputFields: z.array(z.object({ name: z.string(), type: inputType })).nullable(),
      }),
    ),
  }),
});

const OF = `${'kind name ofType { '.repeat(6)}kind name${' }'.repeat(6)}`;

async function inputFields() {
  const data = await core.query(`{ __schema { types { name inputFields { name type { ${OF} } } } } }`);
  return new Map(types.parse(data).__schema.types.map((type) => [type.name, type.inputFields ?? []]));
}

function written({ kind, name, ofType }: InputType): string {
  if (kind === 'LIST') return `[${ofType == null ? '' : written(ofType)}]`;
  return kind === 'NON_NULL' ? `${ofType == null ? '' : written(ofType)}!` : (name ?? '');
}

/** Every way to the operators of `type`, as the literal around the value, with the value's type. */
function* operators(
  fields: Awaited<ReturnType<typeof inputFields>>,
  type: string,
): Generator<{ around: (value: string) => string; type: string }> {
  for (const field of fields.get(type) ?? []) {
    const named = written(field.type).replaceAll(/[[\]!]/g, '');
    if (field.name === '_cast') {
      for (const target of fields.get(named) ?? []) {
        const inner = written(target.type).replaceAll(/[[\]!]/g, '');
        for (const operator of operators(fields, inner))
          yield { ...operator, around: (value) => `{_cast: {${target.name}: ${operator.around(value)}}}` };
      }
    } else {
      yield { type: written(field.type), around: (value) => `{${field.name}: ${value}}` };
    }
  }
}

test('values under every operator of every type', async () => {
  const fields = await inputFields();
  let tried = 0;
  for (const { name, type } of fields.get('everything_bool_exp') ?? []) {
    const comparison = written(type);
    if (!comparison.endsWith('_comparison_exp')) continue;
    for (const operator of operators(fields, comparison)) {
      tried += 1;
      const isList = operator.type.startsWith('[');
      const asVariable = `query ($v: ${operator.type}) { everything(where: {itself: {${name}: ${operator.around('$v')}}}) { id } }`;
      for (const value of VALUES) await isSafe(asVariable, { v: isList ? [value] : value });
      const value = JSON.stringify(VALUES[tried % VALUES.length]);
      const condition = `{${name}: ${operator.around(isList ? `[${value}]` : value)}}`;
      await isSafe(`{ everything(where: ${condition}) { id } }`);
      await isSafe('query ($w: everything_bool_exp) { everything_aggregate(where: $w) { nodes { id } } }', {
        w: { _or: [JSON.parse(condition.replaceAll(/(\w+): /g, '"$1": '))] },
      });
    }
  }
  // Fewer would mean that introspection was not understood.
  expect(tried).toBeGreaterThan(250);
}, 120_000);

test('values in every column that is written', async () => {
  for (const value of VALUES) {
    for (const [name, type] of Object.entries(COLUMNS)) {
      const given = type.endsWith('[]') ? [value] : value;
      const insert = `mutation ($v: everything_insert_input!, $s: everything_set_input!) {
        insert_everything_one(object: $v, on_conflict: {constraint: everything_pkey, update_columns: [${name}]}) { id }
        insert_everything(objects: [$v, {}]) { affected_rows }
        update_everything(where: {id: {_eq: 0}}, _set: $s) { affected_rows }
        update_everything_many(updates: [{where: {}, _set: $s}]) { affected_rows }
      }`;
      await isSafe(insert, { v: { id: 7, [name]: given }, s: { [name]: given } });
    }
  }
}, 60_000);

describe('a session variable', () => {
  test.each(ROLES)('under the operator of the role $role', async ({ role }) => {
    for (const value of VALUES) {
      const session = as(role, { [VARIABLE]: value });
      await isSafe('{ everything { id } }', {}, session);
    }
  });

  test('in nested conditions, casts and other tables', async () => {
    for (const value of VALUES)
      await isSafe('{ everything { id } }', {}, as('nested', { [VARIABLE]: value }));
  });

  test('in presets, checks and filters of mutations', async () => {
    for (const value of VALUES) {
      const session = as('writer', { [VARIABLE]: value });
      await isSafe(
        'mutation { insert_everything(objects: [{id: 50}, {id: 51}]) { affected_rows } }',
        {},
        session,
      );
      await isSafe('mutation { update_everything(where: {}, _inc: {id: 0}) { affected_rows } }', {}, session);
      await isSafe('mutation { delete_everything(where: {id: {_neq: 1}}) { affected_rows } }', {}, session);
    }
  });
});

describe('hostile names', () => {
  test('leave nothing inconsistent', () => {
    expect(core.inconsistencies).toEqual([]);
  });

  test('of schemas, tables, columns, types and constraints are written to', async () => {
    expect(
      await core.query(`mutation {
        insert_parents(objects: [
          {id: 1, name: "one", mood: "good", children: {data: [{id: 10, name: "ten"}]}},
          {id: 2, name: "two"}
        ], on_conflict: {constraint: plain, update_columns: [name], where: {name: {_neq: "x"}}}) { affected_rows returning { id name mood children { name parent { name } } } }
        update_parents(where: {children: {name: {_eq: "ten"}}}, _set: {name: "uno"}, _inc: {id: 0}) { affected_rows }
        update_parents_many(updates: [{where: {id: {_eq: 2}}, _set: {name: "due"}}]) { affected_rows }
        update_children_by_pk(pk_columns: {id: 10}, _set: {name: "dieci"}) { name }
        insert_children_one(object: {id: 20, parent: {data: {id: 3, name: "tre"}}}) { parent_id }
        delete_children_by_pk(id: 20) { id }
      }`),
    ).toEqual({
      insert_parents: {
        affected_rows: 3,
        returning: [
          { id: 1, name: 'one', mood: 'good', children: [{ name: 'ten', parent: { name: 'one' } }] },
          { id: 2, name: 'two', mood: null, children: [] },
        ],
      },
      update_parents: { affected_rows: 1 },
      update_parents_many: [{ affected_rows: 1 }],
      update_children_by_pk: { name: 'dieci' },
      insert_children_one: { parent_id: 3 },
      delete_children_by_pk: { id: 20 },
    });
  });

  test('are read, sorted by, aggregated and streamed', async () => {
    expect(
      await core.query(`{
        parents(where: {id: {_lt: 3}, name: {_is_null: false}}, order_by: [{children_aggregate: {count: desc, max: {name: asc}}}, {computed: asc}], distinct_on: []) {
          name computed children(order_by: {parent: {name: asc}}) { name } children_aggregate { aggregate { count(columns: [name]) max { name } } }
        }
        parents_aggregate(order_by: {id: asc}) { aggregate { count(columns: [name, id], distinct: true) sum { id } } nodes { id } }
        parents_by_pk(id: 1) { mood }
        found(args: {more: "x"}, where: {id: {_eq: 2}}) { name }
        found_aggregate(args: {more: "x"}) { aggregate { max { name } } }
      }`),
    ).toEqual({
      parents: [
        {
          name: 'uno',
          computed: 'computed',
          children: [{ name: 'dieci' }],
          children_aggregate: { aggregate: { count: 1, max: { name: 'dieci' } } },
        },
        {
          name: 'due',
          computed: 'computed',
          children: [],
          children_aggregate: { aggregate: { count: 0, max: { name: null } } },
        },
      ],
      parents_aggregate: {
        aggregate: { count: 3, sum: { id: 6 } },
        nodes: [{ id: 1 }, { id: 2 }, { id: 3 }],
      },
      parents_by_pk: { mood: 'good' },
      found: [{ name: 'due' }],
      found_aggregate: { aggregate: { max: { name: 'uno' } } },
    });
    const stream = core.subscription(
      'subscription { parents_stream(batch_size: 2, cursor: {initial_value: {id: 0}}) { name } }',
    );
    const [answer] = await stream.poll([{ subscription: stream, cursor: undefined }]);
    const body = answer !== undefined && 'body' in answer ? answer.body : undefined;
    expect(JSON.parse(body ?? 'null')).toEqual({
      data: { parents_stream: [{ name: 'uno' }, { name: 'due' }] },
    });
  });

  test('of roles, and of columns in permissions', async () => {
    expect(await core.query('{ parents(order_by: {id: asc}) { name } }', as(hostile('role')))).toEqual({
      parents: [{ name: 'uno' }, { name: 'due' }, { name: 'tre' }],
    });
  });

  test('in row commands', async () => {
    expect(
      await core.rows('select', {
        table: table(TABLE),
        columns: [KEY, { name: 'children', columns: [COLUMN] }],
        where: { [COLUMN]: { $in: ['uno', "'; --"] } },
        order_by: [`-${KEY}`],
      }),
    ).toEqual([{ [KEY]: 1, children: [{ [COLUMN]: 'dieci' }] }]);
    const outcomes = [
      ['insert', { table: table(TABLE), objects: [{ [KEY]: 9, [COLUMN]: "n'" }], returning: [COLUMN] }],
      [
        'update',
        { table: table(TABLE), $set: { [COLUMN]: 'm\\' }, where: { [KEY]: 9 }, returning: [COLUMN] },
      ],
      ['delete', { table: table(TABLE), where: { [COLUMN]: 'm\\' }, returning: [KEY] }],
      ['count', { table: table(TABLE), where: { [KEY]: { $gt: 8 } }, distinct: [COLUMN] }],
    ] as const;
    const answers: unknown[] = [];
    for (const [type, args] of outcomes) answers.push(await core.rows(type, args));
    expect(answers).toEqual([
      { affected_rows: 1, returning: [{ [COLUMN]: "n'" }] },
      { affected_rows: 1, returning: [{ [COLUMN]: 'm\\' }] },
      { affected_rows: 1, returning: [{ [KEY]: 9 }] },
      { count: 0 },
    ]);
  });

  test('that nobody has are refused in row commands before any SQL', async () => {
    for (const name of [...VALUES, '__proto__', 'constructor']) {
      core.statements();
      const attempts = [
        ['select', { table: name, columns: ['id'] }],
        ['select', { table: 'everything', columns: [name] }],
        ['select', { table: 'everything', columns: ['id'], where: { [name]: 1 } }],
        ['select', { table: 'everything', columns: ['id'], order_by: name }],
        ['insert', { table: 'everything', objects: [{ [name]: 1 }] }],
        ['update', { table: 'everything', $set: { [name]: 1 }, where: {} }],
        ['delete', { table: 'everything', where: { [name]: { $eq: 1 } } }],
      ] as const;
      for (const [type, args] of attempts) await expect(core.rows(type, args)).rejects.toThrow();
      expect(core.statements()).toEqual([]);
    }
  });
});
