import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;

beforeAll(async () => {
  engine = await startEngine();
  await engine.database.query(`
    CREATE TABLE author (id serial PRIMARY KEY, name text NOT NULL, upper text GENERATED ALWAYS AS (upper(name)) STORED);
    COMMENT ON COLUMN author.name IS 'as printed';
    CREATE TABLE article (id integer PRIMARY KEY, author_id integer CONSTRAINT by REFERENCES author (id));
    CREATE TABLE profile (author_id integer UNIQUE REFERENCES author (id));
    CREATE TABLE untracked (author_id integer REFERENCES author (id));
    CREATE VIEW names AS SELECT name FROM author GROUP BY name;
    CREATE MATERIALIZED VIEW stored AS SELECT name FROM author;
    CREATE TABLE log (at date) PARTITION BY RANGE (at);
    CREATE TABLE log_2026 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE SCHEMA other;
    CREATE TABLE other.thing (id integer)`);
  for (const table of ['author', 'article', 'profile']) await engine.metadata('pg_track_table', { table });
}, 60_000);
afterAll(() => engine?.close());

const named = (name: string, schema = 'public') => ({ name, schema });

describe('what is in a source', () => {
  it('are tables and views, without partitions', async () => {
    expect(await engine.metadata('pg_get_source_tables', { source: 'default' })).toEqual([
      named('thing', 'other'),
      ...['article', 'author', 'log', 'names', 'profile', 'untracked'].map((name) => named(name)),
    ]);
  });

  it('is told of one table as the database has it now, tracked or not', async () => {
    await engine.database.query('ALTER TABLE untracked ADD COLUMN later text');
    const info = (table: unknown) => engine.metadata('pg_get_table_info', { source: 'default', table });
    expect(await info('author')).toEqual({
      name: named('author'),
      type: 'table',
      columns: [
        { name: 'id', type: 'integer', nullable: false, insertable: true, updatable: true },
        {
          name: 'name',
          type: 'text',
          nullable: false,
          description: 'as printed',
          insertable: true,
          updatable: true,
        },
        { name: 'upper', type: 'text', nullable: true, insertable: false, updatable: false },
      ],
      primary_key: ['id'],
      insertable: true,
      updatable: true,
      deletable: true,
    });
    expect(await info({ schema: 'public', name: 'untracked' })).toMatchObject({
      columns: [{ name: 'author_id' }, { name: 'later' }],
      foreign_keys: {
        untracked_author_id_fkey: { foreign_table: named('author'), column_mapping: { author_id: 'id' } },
      },
    });
    expect(await info('names')).toMatchObject({
      type: 'view',
      insertable: false,
      updatable: false,
      deletable: false,
    });
    expect(await info('nowhere')).toBeNull();
  });

  it('of the kinds of Hasura, only PostgreSQL is available', async () => {
    const kind = (name: string, available: boolean) => ({
      kind: name,
      builtin: true,
      available,
      display_name: name,
    });
    expect(await engine.metadata('list_source_kinds', {})).toEqual({
      sources: [
        kind('pg', true),
        kind('citus', false),
        kind('cockroach', false),
        kind('mssql', false),
        kind('bigquery', false),
      ],
    });
  });

  it.each([
    ['pg_get_source_tables', {}, 'parse-failed', 'key "source" not found'],
    ['pg_get_source_tables', { source: 'none' }, 'not-exists', 'source with name "none" does not exist'],
    [
      'pg_get_source_trackables',
      { source: 'default' },
      'unexpected',
      'listAllTrackables not supported by Postgres',
    ],
    [
      'get_table_info',
      { source: 'default', table: ['author'] },
      'unexpected',
      "Schema fetching is not supported for 'postgres'",
    ],
    ['get_table_info', { source: 'none', table: ['x'] }, 'data-connector-error', "Source 'none' not found"],
    [
      'get_source_kind_capabilities',
      { name: 'pg' },
      'data-connector-error',
      'pg does not support Capabilities',
    ],
    [
      'get_source_kind_capabilities',
      { name: 'sqlite' },
      'data-connector-error',
      'Source Kind sqlite was not found',
    ],
    [
      'pg_test_connection_template',
      { request_context: { headers: {} } },
      'not-supported',
      'Connection templating feature is enterprise edition only',
    ],
  ])('%s %j is refused', async (type, args, code, error) => {
    expect(await engine.refusal(type, args)).toMatchObject({ code, error: expect.stringContaining(error) });
  });
});

describe('suggested relationships', () => {
  const toAuthor = {
    type: 'object',
    from: { table: named('article'), columns: ['author_id'], constraint_name: 'by' },
    to: { table: named('author'), columns: ['id'] },
  };
  const toArticles = { type: 'array', from: toAuthor.to, to: toAuthor.from };
  const profile = {
    table: named('profile'),
    columns: ['author_id'],
    constraint_name: 'profile_author_id_fkey',
  };
  const suggest = (args: object = {}) => engine.metadata('pg_suggest_relationships', args);

  it('are those of foreign keys between tracked tables, both ways', async () => {
    expect(await suggest()).toEqual({
      relationships: expect.arrayContaining([
        toAuthor,
        toArticles,
        { type: 'object', from: profile, to: toAuthor.to },
        { type: 'object', from: toAuthor.to, to: profile },
      ]),
    });
    expect(await suggest({ tables: ['article'] })).toEqual({ relationships: [toAuthor, toArticles] });
    expect(await suggest({ tables: [] })).toEqual({ relationships: [] });
  });

  it('leave out what is there already, if asked to', async () => {
    const article = { tables: ['article'], omit_tracked: true };
    await engine.metadata('pg_create_object_relationship', {
      table: 'article',
      name: 'author',
      using: { foreign_key_constraint_on: 'author_id' },
    });
    expect(await suggest(article)).toEqual({ relationships: [toArticles] });
    await engine.metadata('pg_create_array_relationship', {
      table: 'author',
      name: 'articles',
      using: { manual_configuration: { remote_table: 'article', column_mapping: { id: 'author_id' } } },
    });
    expect(await suggest(article)).toEqual({ relationships: [] });
    expect(await suggest({ tables: ['article'] })).toEqual({ relationships: [toAuthor, toArticles] });
  });

  it('need a source', async () => {
    expect(await engine.refusal('pg_suggest_relationships', { source: 'none' })).toMatchObject({
      code: 'unexpected',
      error: "Couldn't find any schema source information",
    });
  });
});

describe('settings without effect', () => {
  const exported = async () => JSON.stringify(await engine.metadata('export_metadata', {}));

  it('are kept: query tags', async () => {
    await engine.metadata('set_query_tags', { source_name: 'default', format: 'SQLCommenter' });
    expect(await exported()).toContain(
      '"query_tags":{"disabled":false,"format":"sqlcommenter","omit_request_id":true}',
    );
    expect(await engine.refusal('set_query_tags', { source_name: 'none' })).toMatchObject({
      code: 'not-exists',
      error: 'source with name "none" does not exist',
    });
    expect(await engine.refusal('set_query_tags', { source_name: 'default', format: 'odd' })).toMatchObject({
      error: expect.stringContaining('Not a valid query tags format value'),
    });
  });

  it('are kept: metrics', async () => {
    await engine.metadata('set_metrics_config', {
      analyze_query_variables: true,
      analyze_response_body: false,
    });
    expect(await exported()).toContain(
      '"metrics_config":{"analyze_query_variables":true,"analyze_response_body":false}',
    );
    await engine.metadata('remove_metrics_config', {});
    expect(await exported()).not.toContain('metrics_config');
  });

  it('go by the long name of PostgreSQL as well', async () => {
    expect(await engine.metadata('postgres_suggest_relationships', { tables: [] })).toEqual({
      relationships: [],
    });
  });
});
