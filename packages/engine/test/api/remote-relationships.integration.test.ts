import { createDatabase, type TestDatabase } from '@latchkey/tests/support/postgres';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
let other: TestDatabase;
beforeEach(async () => {
  [engine, other] = await Promise.all([startEngine(), createDatabase()]);
  await engine.database.query(`
    CREATE TABLE track (id integer PRIMARY KEY, title text NOT NULL, album_id integer, mood text);
    INSERT INTO track VALUES (1, 'first', 7), (2, 'second', NULL);
    CREATE FUNCTION track_code(t track) RETURNS integer LANGUAGE sql STABLE AS $$ SELECT t.album_id $$;
    CREATE FUNCTION track_more(t track, more integer) RETURNS integer LANGUAGE sql STABLE AS $$ SELECT more $$;
  `);
  await other.query(`
    CREATE TABLE album (id integer PRIMARY KEY, title text NOT NULL, kind text);
    CREATE TABLE kind (name text PRIMARY KEY, comment text);
    INSERT INTO kind VALUES ('LP', NULL);
    ALTER TABLE album ADD FOREIGN KEY (kind) REFERENCES kind;
    INSERT INTO album VALUES (7, 'Seven', 'LP');
  `);
  await engine.metadata('bulk', [
    { type: 'pg_add_source', args: addSource('music', other.url) },
    { type: 'pg_track_table', args: { source: 'music', table: 'album' } },
    { type: 'pg_track_table', args: { table: 'track' } },
  ]);
});
afterEach(async () => {
  await engine.close();
  await other.close();
});

const addSource = (name: string, url: string) => ({
  name,
  configuration: { connection_info: { database_url: url } },
});
const album = (more: Record<string, unknown> = {}) => ({
  table: 'track',
  name: 'album',
  definition: {
    to_source: {
      relationship_type: 'object',
      source: 'music',
      table: 'album',
      field_mapping: { album_id: 'id' },
      ...more,
    },
  },
});
const create = (more: Record<string, unknown> = {}) =>
  engine.metadata('pg_create_remote_relationship', album(more));

/** What the export says of the remote relationships of `track`. */
async function exported(): Promise<unknown> {
  const metadata = JSON.parse(JSON.stringify(await engine.metadata('export_metadata', {})));
  const [{ tables }] = metadata.sources.filter((source: { name: string }) => source.name === 'default');
  return tables[0]?.remote_relationships;
}
const answer = async (query: string) => (await engine.graphql(query)).body;

const errors = z.object({
  errors: z.tuple([
    z.object({ message: z.string(), extensions: z.object({ code: z.string(), path: z.string() }) }),
  ]),
});
const errorOf = (body: unknown) => z.strictObject(errors.shape).parse(body).errors[0];

/** Lets nobody connect, and ends the connections there are. */
async function shut(url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  await engine.database.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS false`);
  await engine.database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
  );
}

describe('a remote relationship', () => {
  test('is created, exported as it was written, used, changed and deleted', async () => {
    expect(await create()).toEqual({ message: 'success' });
    expect(JSON.stringify(await exported())).toBe(
      '[{"definition":{"to_source":{"field_mapping":{"album_id":"id"},"relationship_type":"object","source":"music","table":"album"}},"name":"album"}]',
    );
    expect(await answer('{ track(order_by: {id: asc}) { title album { title } } }')).toEqual({
      data: {
        track: [
          { title: 'first', album: { title: 'Seven' } },
          { title: 'second', album: null },
        ],
      },
    });
    await engine.metadata(
      'pg_update_remote_relationship',
      album({ relationship_type: 'array', table: { schema: 'public', name: 'album' } }),
    );
    expect(
      await answer('{ track(limit: 1) { album { id } album_aggregate { aggregate { count } } } }'),
    ).toEqual({
      data: { track: [{ album: [{ id: 7 }], album_aggregate: { aggregate: { count: 1 } } }] },
    });
    await engine.metadata('pg_delete_remote_relationship', { table: 'track', name: 'album' });
    expect(await exported()).toBeUndefined();
    expect(await answer('{ track { album { id } } }')).toMatchObject({
      errors: [{ message: "field 'album' not found in type: 'track'" }],
    });
  });

  test('comes back with the metadata that were exported', async () => {
    await create();
    const metadata = await engine.metadata('export_metadata', {});
    await engine.metadata('clear_metadata', {});
    await engine.metadata('replace_metadata', metadata);
    expect(await engine.metadata('export_metadata', {})).toEqual(metadata);
    expect(await answer('{ track(limit: 1) { album { id } } }')).toEqual({
      data: { track: [{ album: { id: 7 } }] },
    });
  });

  test('is made by a computed field that takes nothing of the client', async () => {
    for (const name of ['code', 'more'])
      await engine.metadata('pg_add_computed_field', {
        table: 'track',
        name,
        definition: { function: `track_${name}` },
      });
    await create({ field_mapping: { code: 'id' } });
    expect(await answer('{ track(limit: 1) { album { id } } }')).toEqual({
      data: { track: [{ album: { id: 7 } }] },
    });
    expect(
      await engine.refusal('pg_update_remote_relationship', album({ field_mapping: { more: 'id' } })),
    ).toMatchObject({ error: expect.stringContaining('"more" does not exist') });
    expect(await engine.refusal('pg_drop_computed_field', { table: 'track', name: 'code' })).toMatchObject({
      code: 'dependency-error',
      error:
        'cannot drop due to the following dependent objects: remote relationship track.album in source "default"',
    });
    await engine.metadata('pg_drop_computed_field', { table: 'track', name: 'code', cascade: true });
    expect(await exported()).toBeUndefined();
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['to a source that is not there', { source: 'nowhere' }, 'source not found: "nowhere"'],
    ['to a table that is not there', { table: 'nothing' }, 'table "nothing" does not exist in source: music'],
    ['to a table that is not tracked', { table: 'kind' }, 'table "kind" does not exist in source: music'],
    ['by a column that is not here', { field_mapping: { x: 'id' } }, '"x" does not exist'],
    ['by a column that is not there', { field_mapping: { id: 'x' } }, '"x" does not exist'],
  ])('%s is refused', async (_, more, reason) => {
    const path = 'in table "track": in remote relationship "album": ';
    expect(await engine.refusal('pg_create_remote_relationship', album(more))).toEqual({
      code: 'invalid-configuration',
      path: '$.args',
      error: `Inconsistent object: ${path}${reason}`,
      internal: [
        {
          type: 'remote_relationship',
          name: 'remote_relationship album in table track in source default',
          reason: `Inconsistent object: ${path}${reason}`,
          definition: { ...album(more), source: 'default', table: { schema: 'public', name: 'track' } },
        },
      ],
    });
    expect(await exported()).toBeUndefined();
  });

  test('by a column that is an enum there is refused', async () => {
    await engine.metadata('pg_track_table', { source: 'music', table: 'kind', is_enum: true });
    expect(
      await engine.refusal('pg_create_remote_relationship', album({ field_mapping: { mood: 'kind' } })),
    ).toMatchObject({ error: expect.stringContaining('relationships to enum fields are not supported yet') });
  });

  test('needs a name that no other field has', async () => {
    const named = (name: string) => engine.refusal('pg_create_remote_relationship', { ...album(), name });
    expect(await named('title')).toMatchObject({
      error: 'Inconsistent object: field definition conflicts with postgres column',
    });
    expect(await named('1st')).toMatchObject({ code: 'parse-failed', path: '$.args.name' });
    await engine.metadata('pg_add_computed_field', {
      table: 'track',
      name: 'code',
      definition: { function: 'track_code' },
    });
    expect(await named('code')).toMatchObject({
      error: 'Inconsistent object: conflicting definitions for field "code"',
    });
    await create();
    expect(
      await engine.refusal('pg_create_object_relationship', {
        table: 'track',
        name: 'album',
        using: { manual_configuration: { remote_table: 'track', column_mapping: { id: 'id' } } },
      }),
    ).toMatchObject({ code: 'already-exists', error: 'field with name "album" exists in table "track"' });
  });

  test('is changed and deleted only where there is one', async () => {
    for (const type of ['pg_update_remote_relationship', 'pg_delete_remote_relationship']) {
      expect(
        await engine.refusal(type, {
          ...album(),
          ...(type.includes('delete') ? { definition: undefined } : {}),
        }),
      ).toMatchObject({
        code: 'not-exists',
        error: '"album" does not exist',
      });
    }
    expect(
      await engine.refusal('pg_delete_remote_relationship', { table: 'track', name: 'title' }),
    ).toMatchObject({
      code: 'unexpected-payload',
      error: 'expecting a remote relationship',
    });
    expect(
      await engine.refusal('pg_delete_remote_relationship', { table: 'nothing', name: 'a' }),
    ).toMatchObject({
      error: 'table "nothing" does not exist in source: default',
    });
  });

  test('to a remote schema is refused by name, in both forms', async () => {
    const refused = {
      code: 'parse-failed',
      error: expect.stringMatching(/remote schemas are not supported/),
    };
    const definition = { to_remote_schema: { remote_schema: 's', lhs_fields: ['id'], remote_field: {} } };
    const args = { table: 'track', name: 'a' };
    expect(await engine.refusal('pg_create_remote_relationship', { ...args, definition })).toMatchObject(
      refused,
    );
    const old = { ...args, remote_schema: 's', hasura_fields: ['id'], remote_field: {} };
    expect(await engine.refusal('pg_create_remote_relationship', old)).toMatchObject(refused);
  });
});

describe('what a remote relationship leans on', () => {
  const DEPENDENT =
    'cannot drop due to the following dependent objects: remote relationship track.album in source "default"';
  beforeEach(() => create());

  test('a source is dropped only with it', async () => {
    expect(await engine.refusal('pg_drop_source', { name: 'music' })).toMatchObject({
      code: 'dependency-error',
      error: DEPENDENT,
    });
    await engine.metadata('pg_drop_source', { name: 'music', cascade: true });
    expect(await exported()).toBeUndefined();
    expect(await engine.metadata('get_inconsistent_metadata', {})).toMatchObject({ is_consistent: true });
  });

  test('the source it is of is dropped without a question', async () => {
    await engine.metadata('pg_drop_source', { name: 'default' });
    expect(await engine.metadata('get_inconsistent_metadata', {})).toMatchObject({ is_consistent: true });
  });

  test('a table is untracked only with it', async () => {
    const args = { source: 'music', table: 'album' };
    expect(await engine.refusal('pg_untrack_table', args)).toMatchObject({ error: DEPENDENT });
    await engine.metadata('pg_untrack_table', { ...args, cascade: true });
    expect(await exported()).toBeUndefined();
  });

  test.each([
    ['a column here', { sql: 'ALTER TABLE track DROP COLUMN album_id CASCADE' }],
    ['a column there', { source: 'music', sql: 'ALTER TABLE album DROP COLUMN id' }],
    ['a table there', { source: 'music', sql: 'DROP TABLE album' }],
  ])('%s is dropped only with it', async (_, args) => {
    await engine.database.query('DROP FUNCTION track_code');
    expect(await engine.runSql(args)).toMatchObject({ code: 'dependency-error', error: DEPENDENT });
    expect(await engine.runSql({ ...args, cascade: true })).toMatchObject({ result_type: 'CommandOk' });
    expect(await exported()).toBeUndefined();
  });

  test('tables and columns are renamed at both ends', async () => {
    await engine.runSql({ sql: 'ALTER TABLE track RENAME COLUMN album_id TO on_album' });
    await engine.runSql({
      source: 'music',
      sql: 'ALTER TABLE album RENAME COLUMN id TO number; ALTER TABLE album RENAME TO record',
    });
    expect(await exported()).toEqual([
      {
        name: 'album',
        definition: {
          to_source: {
            relationship_type: 'object',
            source: 'music',
            table: { schema: 'public', name: 'record' },
            field_mapping: { on_album: 'number' },
          },
        },
      },
    ]);
    expect(await answer('{ track(limit: 1) { album { number } } }')).toEqual({
      data: { track: [{ album: { number: 7 } }] },
    });
  });

  test('a source is not renamed under it', async () => {
    expect(await engine.refusal('rename_source', { name: 'music', new_name: 'songs' })).toMatchObject({
      error: expect.stringMatching(/inconsistent metadata$/),
    });
  });

  test('it is inconsistent, and left out, while the other database does not answer', async () => {
    const metadata = JSON.parse(JSON.stringify(await engine.metadata('export_metadata', {})));
    for (const source of metadata.sources)
      if (source.name === 'music')
        source.configuration.connection_info.database_url = 'postgres://postgres@127.0.0.1:1/nowhere';
    await engine.metadata('replace_metadata', { allow_inconsistent_metadata: true, metadata });
    expect(await engine.metadata('get_inconsistent_metadata', {})).toMatchObject({
      inconsistent_objects: [
        { name: 'source music' },
        {
          name: 'remote_relationship album in table track in source default',
          reason: expect.stringContaining('source not found: "music"'),
        },
      ],
    });
    expect(await answer('{ track(limit: 1) { title } }')).toEqual({ data: { track: [{ title: 'first' }] } });
    expect(await answer('{ track { album { id } } }')).toMatchObject({ errors: [{}] });
    expect(await engine.refusal('pg_drop_source', { name: 'music', cascade: true })).toMatchObject({
      code: 'unexpected',
      error: 'source with name "music" is inconsistent',
    });
    await engine.metadata('drop_inconsistent_metadata', {});
    expect(await exported()).toBeUndefined();
  });

  test.each([
    ['has lost the table', () => other.query('DROP TABLE album')],
    ['takes no connections', () => shut(other.url)],
  ])('where the other database %s, the error is that of any query', async (_, lose) => {
    await lose();
    const plain = errorOf(await answer('{ album { id } }'));
    expect(plain.message).toMatch(/ error$/);
    expect(errorOf(await answer('{ track { album { id } } }'))).toEqual(plain);
    // Where nothing is asked of it, nothing fails.
    expect(await answer('{ track(where: {album_id: {_is_null: true}}) { album { id } } }')).toEqual({
      data: { track: [{ album: null }] },
    });
  });

  test('a query with it is not explained', async () => {
    const explain = async (query: string) => {
      const response = await fetch(`${engine.url}/v1/graphql/explain`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-hasura-admin-secret': 'secret of the tests' },
        body: JSON.stringify({ query: { query } }),
      });
      return response.json();
    };
    expect(await explain('{ track { album { id } } }')).toMatchObject({
      code: 'invalid-params',
      error: 'queries with remote relationships cannot be explained',
    });
    expect(await explain('{ track { title } }')).toMatchObject([{ field: 'track' }]);
  });
});
