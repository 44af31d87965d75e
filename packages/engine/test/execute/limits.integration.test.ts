import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCore, type TestCore } from '../support/core.ts';
import { SAMPLE_SOURCE, SAMPLE_SQL } from '../support/sample.ts';

let core: TestCore;
beforeAll(async () => {
  core = await startCore(SAMPLE_SQL, SAMPLE_SOURCE);
});
afterAll(() => core.close());

const nested = (depth: number) =>
  `{ author(limit: 1) { ${'articles(limit: 1) { author { '.repeat(depth)}id${' } }'.repeat(depth)} } }`;

/** Each level spreads the next twice under two aliases: 2^depth fields. */
const bomb = (depth: number) =>
  [
    '{ author { ...f0 } }',
    ...Array.from(
      { length: depth },
      (_, n) =>
        `fragment f${n} on author { a: articles { author { ...f${n + 1} } } b: articles { author { ...f${n + 1} } } }`,
    ),
    `fragment f${depth} on author { id }`,
  ].join(' ');

describe('a malformed or excessive query ends in an error', () => {
  test.each([
    ['no text', '', 'validation-failed $.query not a valid graphql query'],
    ['nonsense', ']]', 'validation-failed $.query not a valid graphql query'],
    ['20,000 levels', nested(10_000), 'validation-failed $.query not a valid graphql query'],
    ['1,000 levels', nested(500), 'validation-failed $ the query is nested too deep'],
    [
      'a bomb of aliases',
      bomb(30),
      'validation-failed $ more than 10000 fields are selected; ask for less at a time',
    ],
    [
      'a fragment that is there twice',
      '{ author { ...a } } fragment a on author { id } fragment a on author { id }',
      'parse-failed $ multiple definitions for fragment "a"',
    ],
    [
      'fragments in a circle',
      '{ author { ...a } } fragment a on author { ...b } fragment b on author { ...a }',
      'validation-failed $.selectionSet.author.selectionSet.a.selectionSet.b.selectionSet the fragment definition(s) a and b form a cycle',
    ],
    [
      'no selection',
      '{ author }',
      "validation-failed $.selectionSet.author.selectionSet missing selection set for 'author'",
    ],
    [
      'a selection of a scalar',
      '{ author { id { x } } }',
      'validation-failed $.selectionSet.author.selectionSet.id unexpected subselection set for non-object field',
    ],
    [
      'an unknown argument',
      '{ author(nope: 1) { id } }',
      "validation-failed $.selectionSet.author 'author' has no argument named 'nope'",
    ],
    [
      'an unknown directive',
      '{ author @nope { id } }',
      "validation-failed $.selectionSet directive 'nope' is not defined in the schema",
    ],
    [
      'a misplaced directive',
      '{ author @cached { id } }',
      "validation-failed $.selectionSet directive 'cached' is not allowed on a field",
    ],
    [
      'two fields of one name',
      '{ author { a: id a: name } }',
      "validation-failed $.selectionSet.author.selectionSet selection of both 'id' and 'name' specify the same response name, 'a'",
    ],
    [
      'two operations',
      '{ author { id } } query b { author { id } }',
      'validation-failed $ exactly one operation has to be present in the document when operationName is not specified',
    ],
    ['an unbound variable', '{ author(limit: $n) { id } }', 'validation-failed $ unbound variable "n"'],
    [
      'a distinct order that does not fit',
      '{ author(distinct_on: name, order_by: {id: asc}) { id } }',
      'validation-failed $.selectionSet.author.args "distinct_on" columns must match initial "order_by" columns',
    ],
  ])('%s', async (_name, query, message) => {
    const start = performance.now();
    expect(await core.failure(query)).toBe(message);
    expect(performance.now() - start).toBeLessThan(2000);
    expect(await core.query('{ author_by_pk(id: 1) { id } }')).toEqual({ author_by_pk: { id: 1 } });
  });

  test('a fragment that repeats itself without end is asked once', async () => {
    const chain = Array.from(
      { length: 40 },
      (_, n) => `fragment f${n} on author { id ...f${n + 1} ...f${n + 1} }`,
    );
    expect(
      await core.query(
        `{ author_by_pk(id: 1) { ...f0 } } ${chain.join(' ')} fragment f40 on author { name }`,
      ),
    ).toEqual({
      author_by_pk: { id: 1, name: 'Ada' },
    });
  });

  test('more values than PostgreSQL takes', async () => {
    const where = { _or: Array.from({ length: 70_000 }, (_, id) => ({ id: { _eq: id } })) };
    expect(
      await core.failure('query ($w: author_bool_exp) { author(where: $w) { id } }', undefined, { w: where }),
    ).toBe('validation-failed $ more than 65535 values; send fewer at a time');
  });

  test('hundreds of root fields are answered in the order they were asked', async () => {
    const fields = Array.from({ length: 350 }, (_, n) => `f${n}: author_by_pk(id: ${(n % 3) + 1}) { id }`);
    const data = await core.query(`{ ${fields.join(' ')} }`);
    expect(data).toEqual(Object.fromEntries(fields.map((_, n) => [`f${n}`, { id: (n % 3) + 1 }])));
  });
});

describe('a variable', () => {
  const query =
    'query ($id: Int, $name: String) { author(where: {id: {_eq: $id}, name: {_eq: $name}}) { id } }';
  test.each([
    [{ name: 'Ada', id: 'x' }, 'no error: {"data":{"author":[]}}', false],
    [
      { name: 7, id: 1 },
      'parse-failed $.selectionSet.author.args.where.name._eq parsing Text failed, expected String, but encountered Number',
      true,
    ],
    [
      { name: 'Ada', id: 2147483648 },
      'parse-failed $.selectionSet.author.args.where.id._eq The value 2.147483648e9 lies outside the bounds or is not an integer. Maybe it is a float, or is there integer overflow?',
      true,
    ],
    [
      { name: 'Ada', id: null },
      "validation-failed $.selectionSet.author.args.where.id._eq unexpected null value for type 'Int'",
      true,
    ],
    [
      { name: 'Ada' },
      "validation-failed $.selectionSet.author.args.where.id._eq unexpected null value for type 'Int'",
      true,
    ],
    [
      { name: 'Ada', id: 1, other: 1 },
      'validation-failed $ unexpected variables in variableValues: other',
      true,
    ],
  ])('with %j is told apart each time', async (variables, message, isExact) => {
    for (const _again of [1, 2]) {
      expect(await core.query(query, undefined, { id: 1, name: 'Ada' })).toEqual({ author: [{ id: 1 }] });
      const told = await core.failure(query, undefined, variables);
      if (isExact) expect(told).toBe(message);
      else expect(told).toContain('invalid input syntax for type integer');
    }
  });

  test('that shapes the plan gets its own plan', async () => {
    const shaped =
      'query ($yes: Boolean!, $where: author_bool_exp, $order: [author_order_by!]) { author(where: $where, order_by: $order) { id name @include(if: $yes) } }';
    const desc = { yes: false, where: { id: { _in: [1, 2] } }, order: [{ id: 'desc' }] };
    for (const _again of [1, 2]) {
      expect(await core.query(shaped, undefined, desc)).toEqual({ author: [{ id: 2 }, { id: 1 }] });
      expect(await core.query(shaped, undefined, { ...desc, yes: true, order: { id: 'asc' } })).toEqual({
        author: [
          { id: 1, name: 'Ada' },
          { id: 2, name: 'Bob' },
        ],
      });
      expect(await core.query(shaped, undefined, { ...desc, where: { name: { _eq: 'Cy' } } })).toEqual({
        author: [{ id: 3 }],
      });
      expect(
        await core.query(shaped, undefined, { yes: false, order: null, where: { id: { _eq: 1 } } }),
      ).toEqual({
        author: [{ id: 1 }],
      });
    }
  });

  test('keeps its default where it is left out, and none where it is given', async () => {
    const withDefault = 'query ($n: Int = 2) { author(order_by: {id: asc}, limit: $n) { id } }';
    expect(await core.query(withDefault)).toEqual({ author: [{ id: 1 }, { id: 2 }] });
    expect(await core.query(withDefault, undefined, { n: 1 })).toEqual({ author: [{ id: 1 }] });
    expect(await core.query(withDefault, undefined, { n: null })).toEqual({
      author: [{ id: 1 }, { id: 2 }, { id: 3 }],
    });
  });
});
