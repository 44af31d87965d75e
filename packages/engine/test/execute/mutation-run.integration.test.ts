import { createDatabase, type TestDatabase } from '@latchkey/tests/support/postgres';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EngineError } from '#base/errors.ts';
import { runMutation } from '#execute/run/mutation.ts';
import type { InsertSet, Mutation, RelatedInsert } from '#ir/mutation.ts';
import { at } from '#ir/path.ts';
import type { Param } from '#ir/predicate.ts';
import { ALWAYS, type Predicate } from '#ir/predicate.ts';
import { INTEGER, TEXT } from '#postgres/pg-type.ts';
import {
  article,
  author,
  compare,
  field,
  insertInto,
  JSONB,
  name,
  response,
  row,
  TEXTS,
  titlesOfAuthor,
  value,
} from '../support/author-mutations.ts';

let database: TestDatabase;
let client: Client;
beforeAll(async () => {
  database = await createDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.close();
});
beforeEach(async () => {
  await database.query(`
    DROP TABLE IF EXISTS article, author;
    CREATE TABLE author (id serial PRIMARY KEY, name text UNIQUE, info jsonb DEFAULT '{"new": true}', tags text[]);
    CREATE TABLE article (id serial PRIMARY KEY, title text NOT NULL, author_id int REFERENCES author (id));
  `);
});

async function run(mutation: Mutation): Promise<unknown> {
  const resolve = (param: Param) => {
    if (param.from !== 'value') throw new TypeError('these mutations have no variables');
    return param.value;
  };
  const options = { stringifyNumbers: false, upperCaseEnums: false, hasWithTies: true };
  return JSON.parse(await runMutation({ client, resolve, options }, mutation));
}

const refusal = async (mutation: Mutation) => {
  const error = await run(mutation).catch((thrown: unknown) => thrown);
  if (!(error instanceof EngineError)) throw new Error(`expected an error, got ${JSON.stringify(error)}`);
  const { code, path, message } = error;
  return { code, path, message };
};

const HOSTILE = [
  `'); DROP TABLE author; --`,
  `"quoted", {braces}, NULL`,
  'NULL',
  '',
  '\\',
  '\\"',
  '$1',
  `E'\\n'`,
  'line\nbreak\ttab',
  '{"a":1}',
  '😀 ünïcode',
];

describe('an insert of several rows', () => {
  test('keeps every hostile value as it came, in one array parameter per column', async () => {
    const insert = insertInto(
      author,
      HOSTILE.map((text) => row([name(text), value('info', JSONB, JSON.stringify({ text }))])),
    );
    expect(
      await run({ kind: 'insert', insert, output: response(field('name', TEXT), field('info', JSONB)) }),
    ).toEqual({
      affected_rows: HOSTILE.length,
      returning: HOSTILE.map((text) => ({ name: text, info: { text } })),
    });
  });

  test('keeps them one parameter per value too, where rows differ in their columns', async () => {
    const rows = HOSTILE.map((text, index) =>
      row(index % 2 === 0 ? [name(text)] : [name(text), value('info', JSONB, null)]),
    );
    const answer = await run({
      kind: 'insert',
      insert: insertInto(author, rows),
      output: response(field('name', TEXT), field('info', JSONB)),
    });
    expect(answer).toMatchObject({
      returning: HOSTILE.map((text, index) => ({ name: text, info: index % 2 === 0 ? { new: true } : null })),
    });
  });

  test('may hold more values than a statement may have parameters', async () => {
    const rows = Array.from({ length: 33_000 }, (_, index) =>
      row(index === 0 ? [name('first')] : [name(`a${index}`), value('tags', TEXTS, '{x,"y z"}')]),
    );
    expect(
      await run({
        kind: 'insert',
        insert: insertInto(author, rows),
        output: { kind: 'response', fields: [{ alias: 'n', value: { kind: 'affected-rows' } }] },
      }),
    ).toEqual({ n: 33_000 });
    expect(await database.query(`SELECT tags FROM author WHERE name = 'a32999'`)).toEqual([
      { tags: ['x', 'y z'] },
    ]);
  });

  test('gives rows without any value all their defaults', async () => {
    const insert = insertInto(author, [row([]), row([])]);
    expect(await run({ kind: 'insert', insert, output: response(field('id', INTEGER)) })).toEqual({
      affected_rows: 2,
      returning: [{ id: 1 }, { id: 2 }],
    });
  });

  test('answers without a statement when there are no rows', async () => {
    expect(await run({ kind: 'insert', insert: insertInto(author, []), output: response() })).toEqual({
      affected_rows: 0,
      returning: [],
    });
  });
});

describe('the check of an insert', () => {
  const check = compare('name', TEXT, 'mine');

  test('refuses all rows where one does not satisfy it', async () => {
    const insert = insertInto(author, [row([name('mine')]), row([name('yours')])], { check });
    expect(await refusal({ kind: 'insert', insert, output: response() })).toEqual({
      code: 'permission-error',
      message: 'check constraint of an insert/update permission has failed',
      path: '$.selectionSet.insert.args.objects',
    });
  });

  test('refuses where the answer is read back by a second statement', async () => {
    const insert = insertInto(author, [row([name('yours')])], { check });
    expect(await refusal({ kind: 'insert', insert, output: response(titlesOfAuthor) })).toMatchObject({
      code: 'permission-error',
    });
  });

  test('refuses a row that comes in through a relationship', async () => {
    const articles = insertInto(article, [row([value('title', TEXT, 'forbidden')])], {
      check: compare('title', TEXT, 'allowed'),
      at: at(undefined, 'articles', 'data'),
    });
    const related: RelatedInsert = {
      relationship: 'articles',
      kind: 'array',
      mapping: [['id', 'author_id']],
      before: false,
      insert: articles,
    };
    const insert = insertInto(author, [row([name('a')], [related])]);
    expect(await refusal({ kind: 'insert', insert, output: response() })).toMatchObject({
      code: 'permission-error',
      path: '$.selectionSet.insert.args.objects[0].articles.data',
    });
  });

  test('is the update check for a row that an upsert updates, and the insert check for a new one', async () => {
    await database.query(`INSERT INTO author (name) VALUES ('old')`);
    const upsert = (text: string): Mutation => ({
      kind: 'insert',
      output: response(),
      insert: insertInto(author, [row([name(text)])], {
        check: compare('name', TEXT, 'new'),
        updateCheck: compare('name', TEXT, 'old'),
        conflict: { target: { constraint: 'author_name_key' }, update: ['name'], presets: [], where: ALWAYS },
      }),
    });
    expect(await run(upsert('old'))).toMatchObject({ affected_rows: 1 });
    expect(await run(upsert('new'))).toMatchObject({ affected_rows: 1 });
    expect(await refusal(upsert('new'))).toMatchObject({ code: 'permission-error' });
    expect(await refusal(upsert('other'))).toMatchObject({ code: 'permission-error' });
  });
});

describe('an upsert', () => {
  const upsert = (where: Predicate, update = ['info']): Mutation => ({
    kind: 'insert',
    output: response(field('name', TEXT)),
    insert: insertInto(author, [row([name('taken'), value('info', JSONB, '2')])], {
      conflict: {
        target: { constraint: 'author_name_key' },
        update,
        presets: [value('tags', TEXTS, '{preset}')],
        where,
      },
    }),
  });
  beforeEach(() => database.query(`INSERT INTO author (name, info) VALUES ('taken', '1')`));

  test('updates the named columns and the presets of the row in its way', async () => {
    expect(await run(upsert(ALWAYS, ['info', 'info']))).toMatchObject({ affected_rows: 1 });
    expect(await database.query('SELECT info, tags FROM author')).toEqual([{ info: 2, tags: ['preset'] }]);
  });

  test('leaves alone, and out of the answer, a row that its condition excludes', async () => {
    expect(await run(upsert(compare('info', JSONB, '9')))).toEqual({ affected_rows: 0, returning: [] });
    expect(await database.query('SELECT info FROM author')).toEqual([{ info: 1 }]);
  });

  test('does nothing where no columns are to be updated', async () => {
    expect(await run(upsert(ALWAYS, []))).toEqual({ affected_rows: 0, returning: [] });
  });

  test('leaves out rows that a trigger keeps as they are', async () => {
    await database.query(`
      CREATE OR REPLACE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER keep BEFORE UPDATE ON author FOR EACH ROW EXECUTE FUNCTION keep();
    `);
    expect(await run(upsert(ALWAYS))).toEqual({ affected_rows: 0, returning: [] });
  });
});

describe('inserts through relationships', () => {
  test('put in the object first and what points to the row last, and count them all', async () => {
    const nested = (title: string): RelatedInsert => ({
      relationship: 'articles',
      kind: 'array',
      mapping: [['id', 'author_id']],
      before: false,
      insert: insertInto(article, [row([value('title', TEXT, title)]), row([value('title', TEXT, 'more')])]),
    });
    const insert = insertInto(author, [row([name('a')], [nested('first')]), row([name('b')])]);
    expect(
      await run({ kind: 'insert', insert, output: response(field('name', TEXT), titlesOfAuthor) }),
    ).toEqual({
      affected_rows: 4,
      returning: [
        { name: 'a', articles: [{ title: 'first' }, { title: 'more' }] },
        { name: 'b', articles: [] },
      ],
    });
  });

  const ofAuthor = (rules: Partial<InsertSet> = {}): RelatedInsert => ({
    relationship: 'author',
    kind: 'object',
    mapping: [['author_id', 'id']],
    before: true,
    insert: insertInto(author, [row([name('a')])], { isList: false, ...rules }),
  });

  test('give the key of the object to the row', async () => {
    const insert = insertInto(article, [row([value('title', TEXT, 't')], [ofAuthor()])]);
    expect(await run({ kind: 'insert', insert, output: response(field('author_id', INTEGER)) })).toEqual({
      affected_rows: 2,
      returning: [{ author_id: 1 }],
    });
  });

  test('refuse a key that the client gives as well', async () => {
    const insert = insertInto(article, [
      row([value('title', TEXT, 't'), value('author_id', INTEGER, '1')], [ofAuthor()]),
    ]);
    expect(await refusal({ kind: 'insert', insert, output: response() })).toEqual({
      code: 'validation-failed',
      message:
        'cannot insert object relationship "author" as "author_id" column values are already determined',
      path: '$.selectionSet.insert.args.objects[0].author',
    });
  });

  test('refuse to go on where the object was in conflict and not written', async () => {
    await database.query(`INSERT INTO author (name) VALUES ('a')`);
    const conflict = { target: { constraint: 'author_name_key' }, update: [], presets: [], where: ALWAYS };
    const insert = insertInto(article, [row([value('title', TEXT, 't')], [ofAuthor({ conflict })])]);
    expect(await refusal({ kind: 'insert', insert, output: response() })).toEqual({
      code: 'not-supported',
      message:
        'cannot proceed to insert object relation "author" since insert to table "author" affects zero rows',
      path: '$.selectionSet.insert.args.objects[0].author',
    });
  });
});

describe('updates and deletes', () => {
  beforeEach(() =>
    database.query(`INSERT INTO author (name, info) VALUES ('a', '{"k": 1}'), ('b', '[1, 2]')`),
  );

  test.each([
    ['append', '[3]', JSONB, 'b', [1, 2, 3]],
    ['prepend', '[0]', JSONB, 'b', [0, 1, 2]],
    ['delete_elem', '0', JSONB, 'b', [2]],
    ['delete_key', 'k', JSONB, 'a', {}],
    ['delete_at_path', 'k', JSONB, 'a', {}],
  ] as const)('%s changes JSON in place', async (operator, text, type, who, expected) => {
    await run({
      kind: 'update',
      ...author,
      batches: [
        {
          set: [{ name: 'info', type, operator, params: [{ from: 'value', value: text }] }],
          where: compare('name', TEXT, who),
        },
      ],
      many: false,
      check: ALWAYS,
      output: response(),
    });
    expect(await database.query('SELECT info FROM author WHERE name = $1', [who])).toEqual([
      { info: expected },
    ]);
  });

  const rename = (check: Predicate): Mutation => ({
    kind: 'update',
    ...author,
    batches: ['x', 'y'].map((text) => ({
      set: [{ name: 'name', type: TEXT, operator: 'set', params: [{ from: 'value', value: text }] }],
      where: compare('name', TEXT, text === 'x' ? 'a' : 'x'),
    })),
    many: true,
    check,
    output: response(field('name', TEXT)),
  });

  test('several updates run in order, each seeing the one before', async () => {
    expect(await run(rename(ALWAYS))).toEqual([
      { affected_rows: 1, returning: [{ name: 'x' }] },
      { affected_rows: 1, returning: [{ name: 'y' }] },
    ]);
  });

  test('the check of an update refuses what a row would become', async () => {
    expect(await refusal(rename(compare('name', TEXT, 'x')))).toMatchObject({
      code: 'permission-error',
      path: '$',
    });
  });

  test('a deleted row is shown with what was related to it', async () => {
    const remove: Mutation = {
      kind: 'delete',
      ...author,
      where: compare('name', TEXT, 'a'),
      output: response(field('name', TEXT), titlesOfAuthor),
    };
    expect(await run(remove)).toEqual({ affected_rows: 1, returning: [{ name: 'a', articles: [] }] });
  });

  test('what the database refuses is told in the words of Hasura', async () => {
    await database.query(`INSERT INTO article (title, author_id) VALUES ('t', 1)`);
    const remove: Mutation = { kind: 'delete', ...author, where: ALWAYS, output: response() };
    expect(await refusal(remove)).toEqual({
      code: 'constraint-violation',
      path: '$',
      message:
        'Foreign key violation. update or delete on table "author" violates foreign key constraint "article_author_id_fkey" on table "article"',
    });
    const insert = insertInto(author, [row([name('a')])]);
    expect(await refusal({ kind: 'insert', insert, output: response() })).toMatchObject({
      code: 'constraint-violation',
      message: 'Uniqueness violation. duplicate key value violates unique constraint "author_name_key"',
    });
    const notNull = insertInto(article, [row([])]);
    expect(await refusal({ kind: 'insert', insert: notNull, output: response() })).toMatchObject({
      message:
        'Not-NULL violation. null value in column "title" of relation "article" violates not-null constraint',
    });
    const bad = insertInto(author, [row([value('id', INTEGER, 'x')])]);
    expect(await refusal({ kind: 'insert', insert: bad, output: response() })).toMatchObject({
      code: 'data-exception',
      message: 'invalid input syntax for type integer: "x"',
    });
  });
});
