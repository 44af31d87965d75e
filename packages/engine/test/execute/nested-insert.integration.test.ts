import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;

beforeAll(async () => {
  engine = await startEngine();
  await engine.database.query(`
    CREATE TABLE author (id serial PRIMARY KEY, name text UNIQUE);
    CREATE TABLE article (id serial PRIMARY KEY, title text CHECK (title <> 'bad'), author_id integer REFERENCES author);
    CREATE TABLE foo (id integer PRIMARY KEY);
    CREATE TABLE bar (id integer PRIMARY KEY REFERENCES foo);
    CREATE TABLE baz (id integer PRIMARY KEY REFERENCES bar);
    CREATE TABLE note (foo_id integer REFERENCES foo, at timestamptz DEFAULT clock_timestamp());
  `);
  for (const table of ['author', 'article', 'foo', 'bar', 'baz', 'note'])
    await engine.metadata('pg_track_table', { table });
  const one = (name: string, remote: string) =>
    engine.metadata('pg_create_object_relationship', {
      table: 'foo',
      name,
      using: {
        manual_configuration: {
          remote_table: remote,
          column_mapping: { id: 'id' },
          insertion_order: 'after_parent',
        },
      },
    });
  await one('its_bar', 'bar');
  await one('its_baz', 'baz');
  await engine.metadata('pg_create_array_relationship', {
    table: 'foo',
    name: 'notes',
    using: { foreign_key_constraint_on: { table: 'note', column: 'foo_id' } },
  });
  await engine.metadata('pg_create_object_relationship', {
    table: 'article',
    name: 'author',
    using: { foreign_key_constraint_on: 'author_id' },
  });
  await engine.metadata('pg_create_array_relationship', {
    table: 'author',
    name: 'articles',
    using: { foreign_key_constraint_on: { table: 'article', column: 'author_id' } },
  });
});
afterAll(() => engine.close());

test('what follows a row is inserted in the order of the names, however the client wrote it', async () => {
  const query =
    'mutation { insert_foo_one(object: {id: 1, its_baz: {data: {}}, its_bar: {data: {}}}) { its_bar { id } its_baz { id } } }';
  expect((await engine.graphql(query)).body).toEqual({
    data: { insert_foo_one: { its_bar: { id: 1 }, its_baz: { id: 1 } } },
  });
});

test('lists come before single objects', async () => {
  await engine.database.query(`
    CREATE FUNCTION needs_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NOT EXISTS (SELECT FROM note WHERE foo_id = NEW.id) THEN RAISE 'no note yet'; END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER needs_note BEFORE INSERT ON bar FOR EACH ROW WHEN (NEW.id = 2) EXECUTE FUNCTION needs_note();
  `);
  const query =
    'mutation { insert_foo(objects: {id: 2, its_bar: {data: {}}, notes: {data: {}}}) { affected_rows } }';
  expect((await engine.graphql(query)).body).toEqual({ data: { insert_foo: { affected_rows: 3 } } });
});

test.each([
  [
    'insert_author_one(object: {name: "a", articles: {data: [{title: "ok"}, {title: "bad"}]}}) { id }',
    '$.selectionSet.insert_author_one.args.object[0].articles.data',
  ],
  [
    'insert_author(objects: {name: "a", articles: {data: {title: "x", author_id: 3}}}) { affected_rows }',
    '$.selectionSet.insert_author.args.objects[0].articles.data[0]',
  ],
  [
    'insert_article(objects: [{author: {data: {name: "b"}}}, {author: {data: {name: "b"}}}]) { affected_rows }',
    '$.selectionSet.insert_article.args.objects[1].author.data',
  ],
  [
    'insert_article_one(object: {author_id: 1, author: {data: {name: "a"}}}) { id }',
    '$.selectionSet.insert_article_one.args.object[0].author',
  ],
])('an error of %s tells the row it is about', async (mutation, path) => {
  expect((await engine.graphql(`mutation { ${mutation} }`)).body).toMatchObject({
    errors: [{ extensions: { path } }],
  });
});
