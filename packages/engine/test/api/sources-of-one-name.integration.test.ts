import { createDatabase, type TestDatabase } from '@latchkey/tests/support/postgres';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
let twin: TestDatabase;
beforeEach(async () => {
  [engine, twin] = await Promise.all([startEngine(), createDatabase()]);
  await engine.database.query(`
    CREATE TABLE album (id integer PRIMARY KEY, title text NOT NULL, kind text);
    INSERT INTO album VALUES (7, 'Seven', 'LP');
  `);
  await engine.metadata('pg_track_table', { table: 'album' });
});
afterEach(async () => {
  await engine.close();
  await twin.close();
});

const answer = async (query: string) => (await engine.graphql(query)).body;

describe('two sources with tables of one name', () => {
  /** A source with an `album` of these columns. */
  const addTwin = async (columns: string, customization: Record<string, unknown>) => {
    await twin.query(`CREATE TABLE album (${columns})`);
    await engine.metadata('pg_add_source', {
      name: 'places',
      configuration: { connection_info: { database_url: twin.url } },
      customization,
    });
  };
  const trackTwin = { source: 'places', table: 'album' };

  test('are told apart by their customization', async () => {
    await addTwin('id integer PRIMARY KEY, place text', {
      root_fields: { namespace: 'places', prefix: 'my_' },
      type_names: { prefix: 'Place_', suffix: '_s' },
    });
    await twin.query("INSERT INTO album VALUES (7, 'here')");
    await engine.metadata('pg_track_table', trackTwin);
    await engine.metadata('pg_create_remote_relationship', {
      table: 'album',
      name: 'places',
      definition: {
        to_source: {
          relationship_type: 'array',
          source: 'places',
          table: 'album',
          field_mapping: { id: 'id' },
        },
      },
    });
    const query = `{
      album { __typename places(where: {place: {_eq: "here"}}) { ...Here } places_aggregate { __typename nodes { ...Here } } }
      places { __typename my_album { ...Here } }
    }
    fragment Here on Place_album_s { __typename place }`;
    const here = { __typename: 'Place_album_s', place: 'here' };
    expect(await answer(query)).toEqual({
      data: {
        album: [
          {
            __typename: 'album',
            places: [here],
            places_aggregate: { __typename: 'Place_album_aggregate_s', nodes: [here] },
          },
        ],
        places: { __typename: 'Place_places_query_s', my_album: [here] },
      },
    });
  });

  test('cannot be both in the roots', async () => {
    await addTwin('id integer PRIMARY KEY', {});
    const refused = await engine.refusal('pg_track_table', trackTwin);
    expect(refused).toMatchObject({
      code: 'unexpected',
      error: expect.stringMatching(
        /^Encountered conflicting definitions in the selection set for 'mutation_root'/,
      ),
    });
    expect(refused).toMatchObject({
      error: expect.stringContaining(
        "'insert_album' defined in [table album in source default, table album in source places]",
      ),
    });
  });

  test('cannot have types of one name that differ', async () => {
    await addTwin('id integer PRIMARY KEY, place text', { root_fields: { prefix: 'my_' } });
    const refused = await engine.refusal('pg_track_table', trackTwin);
    expect(refused).toMatchObject({
      code: 'unexpected',
      error: expect.stringMatching(
        /^Found conflicting definitions for GraphQL type 'album\w*'\. {2}The definition at 'query_root\.my_album\S*' differs from the definition at e\.g\. 'query_root\.album\S*'\.\nFormer has definition:\n(.*\n)+Latter has definition:\n/,
      ),
    });
    expect(await answer('{ album { id } }')).toEqual({ data: { album: [{ id: 7 }] } });
  });

  test('may have types of one name that are alike', async () => {
    await addTwin('id integer PRIMARY KEY, title text NOT NULL, kind text', {
      root_fields: { prefix: 'my_' },
    });
    await engine.metadata('pg_track_table', trackTwin);
    await twin.query("INSERT INTO album VALUES (1, 'Other')");
    expect(await answer('{ album { title } my_album { __typename title } }')).toEqual({
      data: { album: [{ title: 'Seven' }], my_album: [{ __typename: 'album', title: 'Other' }] },
    });
    // For this role they are not alike.
    const permission = (source: string, columns: string[]) => ({
      source,
      table: 'album',
      role: 'user',
      permission: { columns, filter: {} },
    });
    await engine.metadata('pg_create_select_permission', permission('default', ['id']));
    expect(
      await engine.refusal('pg_create_select_permission', permission('places', ['id', 'title'])),
    ).toMatchObject({ error: expect.stringMatching(/^Found conflicting definitions for GraphQL type/) });
    await engine.metadata('pg_create_select_permission', permission('places', ['id']));
  });
});
