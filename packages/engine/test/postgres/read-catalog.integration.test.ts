import { createDatabase, type TestDatabase } from '@latchkey/tests/support/postgres';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Catalog } from '#postgres/catalog.ts';
import { readCatalog } from '#postgres/read-catalog.ts';
import { testPool } from '../support/test-pool.ts';

const SQL = `
CREATE SCHEMA crm;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN score AS integer CHECK (VALUE >= 0);
CREATE TABLE crm.person (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text UNIQUE, first text NOT NULL, last text,
  full_name text GENERATED ALWAYS AS (first || coalesce(last, '')) STORED,
  mood mood DEFAULT 'good', points score, tags varchar(9)[], gone integer, UNIQUE (first, last)
);
ALTER TABLE crm.person DROP COLUMN gone;
CREATE TABLE pet (owner bigint REFERENCES crm.person, name text, PRIMARY KEY (name, owner));
CREATE VIEW names AS SELECT first FROM crm.person;
CREATE VIEW counts AS SELECT count(*) FROM crm.person;
CREATE FUNCTION of_mood(wanted mood, at_most integer DEFAULT 10) RETURNS SETOF crm.person STABLE LANGUAGE sql
  AS 'SELECT * FROM crm.person WHERE mood = wanted LIMIT at_most';
COMMENT ON TABLE crm.person IS 'somebody';
COMMENT ON COLUMN crm.person.code IS 'as printed';
`;

describe('what is read of a database', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let catalog: Catalog;
  const table = (key: string) => {
    const found = [...catalog.tables.values()].find(({ name }) => `${name.schema}.${name.name}` === key);
    if (found === undefined) throw new Error(`no table ${key}`);
    return found;
  };
  beforeAll(async () => {
    database = await createDatabase();
    await database.query(SQL);
    pool = testPool(database.url);
    catalog = await readCatalog(pool);
  });
  afterAll(async () => {
    await pool.end();
    await database.close();
  });

  test('columns: their types as Hasura calls them, a domain by what it is made of, and how they get their values', () => {
    const { columns } = table('crm.person');
    expect(columns.map(({ name, type, nullable }) => [name, type.name, nullable])).toEqual([
      ['id', 'bigint', false],
      ['code', 'text', true],
      ['first', 'text', false],
      ['last', 'text', true],
      ['full_name', 'text', true],
      ['mood', 'mood', true],
      ['points', 'integer', true],
      ['tags', 'varchar[]', true],
    ]);
    expect(columns.find(({ name }) => name === 'id')?.identity).toBe('always');
    expect(columns.find(({ name }) => name === 'full_name')?.generated).toBe(true);
    expect(columns.find(({ name }) => name === 'mood')?.hasDefault).toBe(true);
    expect(columns.find(({ name }) => name === 'code')?.description).toBe('as printed');
  });

  test('keys: primary, unique and foreign, their columns in order', () => {
    expect(table('public.pet').primaryKey?.columns).toEqual(['name', 'owner']);
    expect(table('public.pet').foreignKeys).toEqual([
      expect.objectContaining({ columns: [['owner', 'id']], target: { schema: 'crm', name: 'person' } }),
    ]);
    const unique = table('crm.person').uniqueConstraints.map(({ columns }) => columns);
    expect(unique).toContainEqual(['first', 'last']);
    expect(unique).toContainEqual(['code']);
  });

  test('views: which of them can be written to', () => {
    expect(table('public.names').kind).toBe('view');
    expect(table('public.names').writable).toEqual({ insert: true, update: true, delete: true });
    expect(table('public.counts').writable).toEqual({ insert: false, update: false, delete: false });
  });

  test('functions: arguments, defaults and what they return', () => {
    const [fn] = [...catalog.functions.values()].flat().filter(({ name }) => name.name === 'of_mood');
    expect(fn).toMatchObject({
      volatility: 'stable',
      returnsSet: true,
      returnsTable: { schema: 'crm', name: 'person' },
    });
    expect(fn?.arguments.map(({ name, type, hasDefault }) => [name, type.name, hasDefault])).toEqual([
      ['wanted', 'mood', false],
      ['at_most', 'integer', true],
    ]);
  });
});
