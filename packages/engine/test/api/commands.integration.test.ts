import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { exportMetadata } from '#metadata/export.ts';
import { startApi } from './engine.ts';

let api: Awaited<ReturnType<typeof startApi>>;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const SCHEMA = `
  create table author (id serial primary key, name text, rank int);
  create table article (id serial primary key, author_id int references author (id), title text);
`;
async function blog() {
  await api.sql(SCHEMA);
  await api.metadata('bulk', [
    { type: 'pg_track_table', args: { table: 'author' } },
    { type: 'pg_track_table', args: { table: { schema: 'public', name: 'article' } } },
    {
      type: 'pg_create_object_relationship',
      args: { table: 'article', name: 'author', using: { foreign_key_constraint_on: 'author_id' } },
    },
    {
      type: 'pg_create_array_relationship',
      args: {
        table: 'author',
        name: 'articles',
        using: { foreign_key_constraint_on: { table: 'article', column: 'author_id' } },
      },
    },
    {
      type: 'pg_create_select_permission',
      args: {
        table: 'article',
        role: 'user',
        permission: { columns: ['id', 'title'], filter: { author: { name: { _eq: 'X-Hasura-Name' } } } },
      },
    },
  ]);
}
const outcome = (work: Promise<unknown>) => work.catch((error: unknown) => error);

describe('the metadata', () => {
  test('begins with the database as its default source, in version 1', async () => {
    expect(await api.metadata('export_metadata', {}, { version: 2 })).toMatchObject({
      resource_version: 1,
      metadata: { version: 3, sources: [{ name: 'default', kind: 'postgres', tables: [] }] },
    });
  });

  test('outlives the engine', async () => {
    await blog();
    const other = await api.another();
    expect(exportMetadata(other.state.metadata)).toEqual(await api.metadata('export_metadata'));
  });

  test('is not changed behind the back of another engine', async () => {
    await api.sql(SCHEMA);
    const other = await api.another();
    await api.metadata('pg_track_table', { table: 'author' });
    const admin = api.metadata;
    expect(
      await outcome(
        other.handle(
          'v1/metadata',
          { type: 'pg_track_table', args: { table: 'article' } },
          { role: 'admin', variables: {}, isAdmin: true, backendOnly: false },
        ),
      ),
    ).toMatchObject({ code: 'conflict', status: 409 });
    expect(await admin('export_metadata', {}, { version: 2 })).toMatchObject({ resource_version: 2 });
    // It has caught up by now.
    expect(other.state.resourceVersion).toBe(2);
  });

  test('is replaced only in the version that the client knows', async () => {
    const replace = (version: number) =>
      outcome(api.metadata('replace_metadata', { version: 3, sources: [] }, { resource_version: version }));
    expect(await replace(7)).toMatchObject({
      code: 'conflict',
      status: 409,
      path: '$',
      message: 'metadata resource version referenced (7) did not match current version',
    });
    expect(await replace(1)).toEqual({ message: 'success' });
  });

  test('of versions 1 and 2 is taken for the default source', async () => {
    await api.sql(SCHEMA);
    await api.metadata('replace_metadata', { tables: [{ table: 'author' }] });
    expect(await api.table('author')).toBeDefined();
  });

  test('is cleared down to the source', async () => {
    await blog();
    await api.metadata('clear_metadata');
    expect(api.service.state.metadata.sources).toMatchObject([{ name: 'default', tables: [] }]);
  });

  test('keeps the state of the CLI', async () => {
    const state = { settings: {}, migrations: { default: { '1': false } } };
    await api.metadata('set_catalog_state', { type: 'cli', state });
    expect(await api.metadata('get_catalog_state')).toMatchObject({ cli_state: state, console_state: {} });
  });

  test('takes events that are scheduled once', async () => {
    const at = '2999-01-01T00:00:00Z';
    const made = await api.metadata('create_scheduled_event', { webhook: 'http://a', schedule_at: at });
    expect(made).toEqual({ message: 'success', event_id: expect.any(String) });
    const count = () => api.database.query('select count(*)::int as n from hdb_catalog.hdb_scheduled_events');
    expect(await count()).toEqual([{ n: 1 }]);
    const { event_id: id } = z.object({ event_id: z.string() }).parse(made);
    await api.metadata('delete_scheduled_event', { type: 'one_off', event_id: id });
    expect(await count()).toEqual([{ n: 0 }]);
  });

  test('is for admins', async () => {
    expect(await outcome(api.asUser('export_metadata'))).toMatchObject({
      code: 'access-denied',
      status: 400,
      message: 'restricted access : admin only',
    });
  });

  test('changes wholly or not at all', async () => {
    await api.sql(SCHEMA);
    const bulk = api.metadata('bulk', [
      { type: 'pg_track_table', args: { table: 'author' } },
      { type: 'pg_track_table', args: { table: 'author' } },
    ]);
    expect(await outcome(bulk)).toMatchObject({
      code: 'already-tracked',
      path: '$.args[1].args',
      message: 'view/table already tracked: "author"',
    });
    expect(await api.table('author')).toBeUndefined();
  });
});

describe.each<[string, unknown, Record<string, unknown>]>([
  ['pg_track_table', { table: 'author', bogus: 1 }, { code: 'parse-failed', path: '$.args.bogus' }],
  ['pg_untrack_table', { table: 'none' }, { code: 'already-untracked' }],
  [
    'pg_untrack_table',
    { table: 'author' },
    {
      code: 'dependency-error',
      message:
        'cannot drop due to the following dependent objects: permission article.user.select in source "default", relationship article.author in source "default"',
    },
  ],
  ['pg_track_table', { table: 'x', source: 'y' }, { message: 'source with name "y" does not exist' }],
  ['pg_drop_relationship', { table: 'author', relationship: 'no' }, { code: 'not-exists' }],
  ['pg_create_select_permission', { table: 'author', role: '', permission: {} }, { path: '$.args.role' }],
  [
    'pg_create_select_permission',
    { table: 'author', role: 'admin', permission: { columns: '*', filter: {} } },
    { code: 'already-exists' },
  ],
  ['pg_drop_delete_permission', { table: 'author', role: 'user' }, { code: 'permission-denied' }],
  [
    'pg_add_computed_field',
    { table: 'none', name: 'a', definition: { function: 'f' } },
    { code: 'not-exists', path: '$.args.table' },
  ],
  [
    'replace_metadata',
    {
      version: 3,
      sources: [],
      inherited_roles: [
        { role_name: 'b', role_set: ['c', 'x'] },
        { role_name: 'c', role_set: ['a'] },
        { role_name: 'a', role_set: ['x', 'b'] },
      ],
    },
    { code: 'cyclic-dependency', message: 'found cycle(s) in roles: ["a","b","c","a"]' },
  ],
  ['mssql_add_source', {}, { code: 'not-supported' }],
  ['add_remote_schema', {}, { code: 'not-supported' }],
  ['nonsense', {}, { message: 'unknown metadata command "" for backend nonsense' }],
  ['pg_nonsense', {}, { message: 'unknown metadata command "nonsense" for backend postgres' }],
  ['1_a', {}, { message: 'unknown metadata command "1_a"; "1" was not recognized as a valid backend name' }],
  ['dc_add_agent', {}, { code: 'not-supported', message: expect.stringContaining('data connectors') }],
  [
    'pg_track_native_query',
    {},
    { code: 'not-supported', message: expect.stringContaining('native queries') },
  ],
  [
    'set_opentelemetry_config',
    {},
    { code: 'not-supported', message: expect.stringContaining('OpenTelemetry') },
  ],
  ['concurrent_bulk', [], { code: 'parse-failed' }],
])('%s %j', (type, args, error) => {
  test('is refused', async () => {
    await blog();
    expect(await outcome(api.metadata(type, args))).toMatchObject(error);
  });
});

describe('run_sql', () => {
  test('answers rows as text under their names', async () => {
    expect(await api.sql("select 1 as a, null::text as b, '2020-01-01'::date as c")).toEqual({
      result_type: 'TuplesOk',
      result: [
        ['a', 'b', 'c'],
        ['1', 'NULL', '2020-01-01'],
      ],
    });
    expect(await api.sql('create table t (id int)')).toEqual({ result_type: 'CommandOk', result: null });
  });

  test('several statements are one transaction', async () => {
    expect(await outcome(api.sql('create table t (id int); select nonsense'))).toMatchObject({
      code: 'postgres-error',
      message: 'query execution failed',
      internal: { error: { status_code: '42703' } },
    });
    expect(await api.sql("select to_regclass('t') as t")).toMatchObject({ result: [['t'], ['NULL']] });
  });

  test('read_only writes nothing', async () => {
    expect(await outcome(api.sql('create table t (id int)', { read_only: true }))).toMatchObject({
      code: 'postgres-error',
    });
  });

  test('settings of one request do not leak into the next', async () => {
    await api.sql("set search_path to 'pg_catalog'; set time zone 'Asia/Tokyo'");
    expect(await api.sql('show search_path')).not.toMatchObject({
      result: [['search_path'], ['pg_catalog']],
    });
  });

  test('follows a renamed table through relationships and permissions', async () => {
    await blog();
    await api.sql('alter table author rename to writer');
    expect(await api.table('author')).toBeUndefined();
    expect(await api.table('writer')).toMatchObject({ array_relationships: [{ name: 'articles' }] });
    expect(await api.table('article')).toMatchObject({
      object_relationships: [{ name: 'author' }],
      select_permissions: [{ permission: { filter: { author: { name: { _eq: 'X-Hasura-Name' } } } } }],
    });
  });

  test('follows a table into another schema', async () => {
    await blog();
    await api.sql('create schema other; alter table article set schema other');
    expect(await api.table('article')).toMatchObject({ table: { schema: 'other', name: 'article' } });
    expect(await api.table('author')).toMatchObject({
      array_relationships: [
        { using: { foreign_key_constraint_on: { table: { schema: 'other', name: 'article' } } } },
      ],
    });
  });

  test('follows a renamed column through everything that names it', async () => {
    await blog();
    await api.sql(
      'alter table author rename column name to pen_name; alter table article rename author_id to by',
    );
    expect(await api.table('article')).toMatchObject({
      object_relationships: [{ using: { foreign_key_constraint_on: ['by'] } }],
      select_permissions: [{ permission: { filter: { author: { pen_name: { _eq: 'X-Hasura-Name' } } } } }],
    });
    expect(await api.table('author')).toMatchObject({
      array_relationships: [{ using: { foreign_key_constraint_on: { columns: ['by'] } } }],
    });
  });

  test('does not drop a column that a permission needs, unless it is told to', async () => {
    await blog();
    expect(await outcome(api.sql('alter table article drop column title'))).toMatchObject({
      code: 'dependency-error',
      message:
        'cannot drop due to the following dependent objects: permission article.user.select in source "default"',
    });
    expect(await api.sql('select title from article')).toMatchObject({ result: [['title']] });
    await api.sql('alter table article drop column title', { cascade: true });
    expect(await api.table('article')).toMatchObject({ select_permissions: [] });
  });

  test('does not drop a table that a relationship needs, unless it is told to', async () => {
    await blog();
    expect(await outcome(api.sql('drop table article'))).toMatchObject({
      code: 'dependency-error',
      message:
        'cannot drop due to the following dependent objects: relationship author.articles in source "default"',
    });
    await api.sql('drop table article', { cascade: true });
    expect(await api.table('article')).toBeUndefined();
    expect(await api.table('author')).toMatchObject({ array_relationships: [] });
  });

  test('does not drop a foreign key that relationships rest on', async () => {
    await blog();
    expect(
      await outcome(api.sql('alter table article drop constraint article_author_id_fkey')),
    ).toMatchObject({
      code: 'dependency-error',
      message:
        'cannot drop due to the following dependent objects: relationship article.author in source "default", relationship author.articles in source "default"',
    });
  });

  test('an untracked table comes and goes as it likes', async () => {
    await blog();
    await api.sql('create table t (id int)');
    await api.sql('alter table t rename to u');
    expect(await api.sql('drop table u')).toEqual({ result_type: 'CommandOk', result: null });
  });

  test('a source that does not answer is told', async () => {
    await api.metadata('replace_metadata', {
      allow_inconsistent_metadata: true,
      metadata: {
        version: 3,
        sources: [
          {
            name: 'default',
            kind: 'postgres',
            tables: [],
            configuration: { connection_info: { database_url: { from_env: 'NOT_SET' } } },
          },
        ],
      },
    });
    expect(await api.metadata('get_inconsistent_metadata')).toEqual({
      is_consistent: false,
      inconsistent_objects: [
        {
          definition: 'default',
          name: 'source default',
          reason: "Inconsistent object: environment variable 'NOT_SET' not set",
          type: 'source',
        },
      ],
    });
    expect(await outcome(api.sql('select 1'))).toMatchObject({ code: 'not-exists' });
  });
});
