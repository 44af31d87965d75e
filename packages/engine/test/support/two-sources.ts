/** Artists and their albums in one database, labels and sales in another, and relationships both ways. */
import type { OtherSource } from './core.ts';

const toSource = (
  name: string,
  relationship_type: 'object' | 'array',
  [source, table]: readonly [string, string],
  field_mapping: Record<string, string>,
) => ({ name, definition: { to_source: { relationship_type, source, table, field_mapping } } });

export const MUSIC_SQL = `
  CREATE TABLE artist (id integer PRIMARY KEY, name text NOT NULL, label_id bigint, country text);
  INSERT INTO artist VALUES
    (1, 'Ada', 9007199254740993, 'gb'), (2, 'Bo', 2, 'dk'), (3, 'Cy', NULL, 'fr'), (4, 'Di', 2, NULL);
  CREATE TABLE album (id integer PRIMARY KEY, artist_id integer REFERENCES artist, title text NOT NULL, meta json);
  INSERT INTO album VALUES
    (1, 1, 'One', '{"b": 1.10, "1": "x\\"y"}'), (2, 1, 'Two', NULL), (3, 2, 'Three', '[1,  2]');
  CREATE FUNCTION artist_key(a artist) RETURNS text LANGUAGE sql STABLE AS $$ SELECT a.country || '-' || a.id $$;
  CREATE FUNCTION artist_greets(a artist, word text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT word $$;
`;

export const SALES_SQL = `
  CREATE TABLE label (id bigint PRIMARY KEY, title text NOT NULL, owner text NOT NULL);
  INSERT INTO label VALUES (9007199254740993, 'Big', 'ann'), (2, 'Two', 'ben');
  CREATE TABLE sale (id integer PRIMARY KEY, artist_id integer, artist_key text, amount numeric NOT NULL, buyer text NOT NULL);
  INSERT INTO sale VALUES
    (1, 1, 'gb-1', 10.50, 'ann'), (2, 1, 'gb-1', 20, 'ben'), (3, 1, 'gb-1', 12345678901234567890.5, 'ann'),
    (4, 2, 'dk-2', 5, 'ben'), (5, 99, 'xx', 1, 'ann');
  CREATE TYPE mood AS ENUM ('good', 'bad');
  CREATE TABLE feeling (artist text PRIMARY KEY, mood mood);
`;

const everything = { columns: '*', filter: {} };

export const MUSIC_TABLES = [
  {
    table: 'artist',
    computed_fields: [{ name: 'key', definition: { function: 'artist_key' } }],
    array_relationships: [
      {
        name: 'albums',
        using: { foreign_key_constraint_on: { table: 'album', column: 'artist_id' } },
      },
    ],
    remote_relationships: [
      toSource('label', 'object', ['sales', 'label'], { label_id: 'id' }),
      toSource('sales', 'array', ['sales', 'sale'], { id: 'artist_id' }),
      toSource('sales_by_key', 'array', ['sales', 'sale'], { key: 'artist_key', id: 'artist_id' }),
      toSource('twin', 'object', ['default', 'artist'], { id: 'id' }),
    ],
    insert_permissions: [{ role: 'seller', permission: { check: {}, columns: '*' } }],
    select_permissions: [
      { role: 'seller', permission: { columns: ['name'], filter: {} } },
      { role: 'reader', permission: everything },
      { role: 'half', permission: { columns: ['id', 'label_id'], filter: { id: { _lt: 2 } } } },
      { role: 'rest', permission: { columns: ['id', 'name'], filter: {} } },
    ],
  },
  {
    table: 'album',
    object_relationships: [{ name: 'artist', using: { foreign_key_constraint_on: 'artist_id' } }],
  },
];

export const SALES: OtherSource = {
  name: 'sales',
  sql: SALES_SQL,
  tables: [
    {
      table: 'label',
      remote_relationships: [toSource('artists', 'array', ['default', 'artist'], { id: 'label_id' })],
      select_permissions: [
        { role: 'rest', permission: everything },
        {
          role: 'seller',
          permission: { columns: ['title'], filter: { owner: { _eq: 'X-Hasura-User-Id' } } },
        },
      ],
    },
    {
      table: 'sale',
      remote_relationships: [toSource('artist', 'object', ['default', 'artist'], { artist_id: 'id' })],
      select_permissions: [
        {
          role: 'seller',
          permission: {
            columns: ['amount', 'id'],
            filter: { buyer: { _eq: 'X-Hasura-User-Id' } },
            limit: 1,
            allow_aggregations: true,
          },
        },
      ],
    },
  ],
};
