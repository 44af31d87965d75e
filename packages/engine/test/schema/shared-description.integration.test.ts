import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCore, type TestCore } from '../support/core.ts';

/** `authors` and `books` lead to each other; `lists` lead to `entries`, which lead nowhere. */
const SQL = `
  CREATE TABLE authors (id integer PRIMARY KEY);
  CREATE TABLE books (id integer PRIMARY KEY, author_id integer REFERENCES authors);
  CREATE TABLE lists (id integer PRIMARY KEY);
  CREATE TABLE entries (id integer PRIMARY KEY, list_id integer REFERENCES lists);
`;
const many = (table: string, column: string) => ({
  name: table,
  using: { foreign_key_constraint_on: { table, column } },
});

let core: TestCore;
beforeAll(async () => {
  core = await startCore(SQL, {
    tables: [
      { table: 'authors', array_relationships: [many('books', 'author_id')] },
      {
        table: 'books',
        object_relationships: [{ name: 'author', using: { foreign_key_constraint_on: 'author_id' } }],
      },
      { table: 'lists', array_relationships: [many('entries', 'list_id')] },
      { table: 'entries' },
    ],
  });
});
afterAll(() => core.close());

async function descriptions(type: string): Promise<unknown> {
  return core.query(`{ __type(name: "${type}") { fields { name description } } }`);
}

const described = (name: string, description: string) => expect.objectContaining({ name, description });
const among = (...fields: unknown[]) => ({ __type: { fields: expect.arrayContaining(fields) } });

test('a root field is described as the array relationship of its name that its rows lead back to', async () => {
  expect(await descriptions('query_root')).toEqual(
    among(
      described('books', 'An array relationship'),
      described('books_aggregate', 'An aggregate relationship'),
      described('authors', 'fetch data from the table: "authors"'),
    ),
  );
});

test('where nothing leads back, whichever table comes first in the map of tables decides for both', async () => {
  const [root, row] = [await descriptions('query_root'), await descriptions('lists')];
  const description = 'fetch data from the table: "entries"';
  expect(root).toEqual(among(described('entries', description)));
  expect(row).toEqual(among(described('entries', description)));
});
