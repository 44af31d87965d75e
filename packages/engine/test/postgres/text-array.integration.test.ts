import { createDatabase, type TestDatabase } from '@latchkey/tests/support/postgres';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TextArray } from '#postgres/text-array.ts';

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

test.each<[string, (string | null)[]]>([
  ['nothing', []],
  ['one text', ['a']],
  ['nulls and the word', [null, 'NULL', 'null', null]],
  ['empty texts', ['', '', '']],
  ['what a literal would have to escape', ['"', '\\', '{', '}', ',', ' a ', "'", '\n\r\t', '{"a":"\\""}']],
  ['letters of one to four bytes', ['aé€🦉', '🦉'.repeat(1000)]],
  ['long texts', ['x'.repeat(1_000_000), 'é'.repeat(100_000)]],
])('PostgreSQL reads an array of %s as it was', async (_, items) => {
  const { rows } = await client.query({
    text: 'SELECT $1::text[], array_length($1::text[], 1), array_lower($1::text[], 1)',
    values: [new TextArray(items)],
    rowMode: 'array',
  });
  const isEmpty = items.length === 0;
  expect(rows).toEqual([[items, isEmpty ? null : items.length, isEmpty ? null : 1]]);
});

test('half a character becomes the replacement character, as in any other parameter', async () => {
  const text = 'a\ud800b';
  const { rows } = await client.query('SELECT ($1::text[])[1] AS many, $2::text AS one', [
    new TextArray([text]),
    text,
  ]);
  expect(rows).toEqual([{ many: 'a\ufffdb', one: 'a\ufffdb' }]);
});

test('a null byte is refused as in any other parameter', async () => {
  const refusal = (values: unknown[], type: string) =>
    client.query(`SELECT $1::${type}`, values).then(
      () => undefined,
      (error: { code: string; message: string }) => [error.code, error.message],
    );
  const expected = await refusal(['a\0'], 'text');
  expect(expected?.[0]).toBe('22021');
  expect(await refusal([new TextArray(['a\0'])], 'text[]')).toEqual(expected);
});
