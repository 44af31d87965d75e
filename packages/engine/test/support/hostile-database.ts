/** A database, and metadata for it, in which everything that has a name has a hostile one. */
/** In every hostile value, and nowhere else: a statement that holds it holds the value. */
export const MARK = 'x9z';
export const VALUES = [
  `'; DROP TABLE everything; -- ${MARK}`,
  `$1" ${MARK} \\' OR 1=1 /*`,
  `{${MARK}}`,
  `${MARK}\u0000`,
];

/** One column of each kind of type. */
export const COLUMNS = {
  c_text: 'text',
  c_varchar: 'varchar(50)',
  c_bpchar: 'char(5)',
  c_citext: 'citext',
  c_int2: 'smallint',
  c_int4: 'integer',
  c_int8: 'bigint',
  c_numeric: 'numeric',
  c_real: 'real',
  c_float8: 'float8',
  c_money: 'money',
  c_bool: 'boolean',
  c_uuid: 'uuid',
  c_date: 'date',
  c_timestamp: 'timestamp',
  c_timestamptz: 'timestamptz',
  c_timetz: 'timetz',
  c_time: 'time',
  c_interval: 'interval',
  c_json: 'json',
  c_jsonb: 'jsonb',
  c_ltree: 'ltree',
  c_bytea: 'bytea',
  c_inet: 'inet',
  c_mood: 'mood',
  c_colour: 'text REFERENCES colour',
  c_texts: 'text[]',
  c_ints: 'integer[]',
  c_moods: 'mood[]',
};

/** What is to be a name and is none: each breaks out of any quoting but the right one. */
export const hostile = (name: string) => `${name}"'; DROP TABLE everything; --\\ $1`;
const ident = (name: string) => `"${name.replaceAll('"', '""')}"`;
const SCHEMA = hostile('s');
export const TABLE = hostile('t');
const CHILD = hostile('k');
export const KEY = hostile('id');
export const COLUMN = hostile('c');
const CHILD_KEY = hostile('f');
const COMPUTED = hostile('cf');
const at = (name: string) => `${ident(SCHEMA)}.${ident(name)}`;

export const SQL = `
CREATE EXTENSION citext; CREATE EXTENSION ltree;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE colour (value text PRIMARY KEY, comment text);
INSERT INTO colour VALUES ('red', 'as roses');
CREATE TABLE everything (id serial PRIMARY KEY, ${Object.entries(COLUMNS)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ')});
INSERT INTO everything (c_text) VALUES ('here');
CREATE SCHEMA ${ident(SCHEMA)};
CREATE TYPE ${at(hostile('mood'))} AS ENUM ('good');
CREATE TABLE ${at(TABLE)} (${ident(KEY)} integer CONSTRAINT plain PRIMARY KEY, ${ident(COLUMN)} text, ${ident(hostile('e'))} ${at(hostile('mood'))});
CREATE TABLE ${at(CHILD)} (${ident(KEY)} integer PRIMARY KEY, ${ident(CHILD_KEY)} integer CONSTRAINT ${ident(hostile('fk'))} REFERENCES ${at(TABLE)}, ${ident(COLUMN)} text);
CREATE FUNCTION fn("left" text DEFAULT 'd', "more" text DEFAULT 'm') RETURNS SETOF ${at(TABLE)} STABLE LANGUAGE sql
  AS $f$ SELECT * FROM ${at(TABLE)} WHERE "more" <> 'm' $f$;
CREATE FUNCTION ${at(COMPUTED)}(r ${at(TABLE)}) RETURNS text STABLE LANGUAGE sql AS $f$ SELECT 'computed' $f$;
`;

export const column = (name: string, to: string) => ({ [name]: { custom_name: to } });
export const table = (name: string) => ({ schema: SCHEMA, name });
export const VARIABLE = 'X-Hasura-V';

/** Operators of permissions with a type that has them. */
const FILTERS: Readonly<Record<string, readonly string[]>> = {
  c_text: [
    ...[
      '_eq',
      '_ne',
      '_neq',
      '_gt',
      '_lt',
      '_gte',
      '_lte',
      '_in',
      '_nin',
      '_like',
      '_nlike',
      '_ilike',
      '_nilike',
    ],
    ...['_similar', '_nsimilar', '_regex', '_iregex', '_nregex', '_niregex', '$eq', '$in'],
  ],
  c_jsonb: ['_contains', '_contained_in', '_has_key', '_has_keys_any', '_has_keys_all'],
  c_ltree: [
    '_ancestor',
    '_ancestor_any',
    '_descendant',
    '_descendant_any',
    '_matches',
    '_matches_any',
    '_matches_fulltext',
  ],
  c_texts: ['_contains', '_contained_in', '_eq'],
  c_int4: ['_eq', '_in'],
  c_colour: ['_eq', '_in'],
};
export const ROLES = Object.entries(FILTERS).flatMap(([name, operators]) =>
  operators.map((operator) => ({ role: `${name}${operator}`, filter: { [name]: { [operator]: VARIABLE } } })),
);

export const SOURCE = {
  tables: [
    { table: 'colour', is_enum: true },
    {
      table: 'everything',
      object_relationships: [
        {
          name: 'itself',
          using: { manual_configuration: { remote_table: 'everything', column_mapping: { id: 'id' } } },
        },
      ],
      array_relationships: [
        {
          name: 'all',
          using: { manual_configuration: { remote_table: 'everything', column_mapping: { id: 'id' } } },
        },
      ],
      select_permissions: [
        ...ROLES.map(({ role, filter }) => ({ role, permission: { columns: ['id'], filter } })),
        { role: 'writer', permission: { columns: ['id'], filter: {} } },
        {
          role: 'nested',
          permission: {
            columns: ['id'],
            filter: {
              _not: { all: { c_text: { _eq: VARIABLE } } },
              _exists: { _table: 'everything', _where: { c_text: { _ne: VARIABLE } } },
              c_jsonb: { _cast: { text: { _nlike: VARIABLE } } },
            },
          },
        },
      ],
      insert_permissions: [
        {
          role: 'writer',
          permission: {
            columns: ['id'],
            check: { c_text: { _eq: VARIABLE } },
            set: { c_text: VARIABLE, c_jsonb: VARIABLE, c_texts: VARIABLE },
          },
        },
      ],
      update_permissions: [
        {
          role: 'writer',
          permission: {
            columns: ['id'],
            filter: { c_text: { _ne: VARIABLE } },
            check: { c_text: { _eq: VARIABLE } },
            set: { c_text: VARIABLE },
          },
        },
      ],
      delete_permissions: [{ role: 'writer', permission: { filter: { c_text: { _eq: VARIABLE } } } }],
    },
    {
      table: table(TABLE),
      configuration: {
        custom_name: 'parents',
        column_config: {
          ...column(KEY, 'id'),
          ...column(COLUMN, 'name'),
          ...column(hostile('e'), 'mood'),
        },
      },
      array_relationships: [
        {
          name: 'children',
          using: { foreign_key_constraint_on: { table: table(CHILD), column: CHILD_KEY } },
        },
      ],
      computed_fields: [{ name: 'computed', definition: { function: table(COMPUTED), table_argument: 'r' } }],
      select_permissions: [
        {
          role: hostile('role'),
          permission: { columns: [KEY, COLUMN], filter: { [COLUMN]: { _ceq: [COLUMN] }, [KEY]: { _gt: 0 } } },
        },
      ],
    },
    {
      table: table(CHILD),
      configuration: {
        custom_name: 'children',
        column_config: { ...column(KEY, 'id'), ...column(COLUMN, 'name'), ...column(CHILD_KEY, 'parent_id') },
      },
      object_relationships: [{ name: 'parent', using: { foreign_key_constraint_on: CHILD_KEY } }],
    },
  ],
  functions: [{ function: 'fn', configuration: { custom_name: 'found' } }],
};
