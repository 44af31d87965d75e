/** What the engine does not have is an inconsistent object: the rest works, and it grants nobody anything. */
import { createDatabase, type TestDatabase } from '@latchkey/tests/support/postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readConfig } from '#base/config.ts';
import { createLogger } from '#base/log.ts';
import { startEngineServer } from '#engine.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';

const remoteSchema = {
  name: 'weather',
  definition: { url: 'http://weather.example/graphql', timeout_seconds: 60, customization: {} },
  comment: '',
  permissions: [{ role: 'user', definition: { schema: 'type Query { rain: Int }' } }],
};
const mssql = {
  name: 'ledger',
  kind: 'mssql',
  tables: [
    { table: { schema: 'dbo', name: 'bills' }, select_permissions: [{ role: 'user', permission: {} }] },
  ],
  configuration: { connection_info: { connection_string: { from_env: 'NONE' } } },
};
const logicalModel = {
  name: 'sum',
  fields: [{ name: 'n', type: { scalar: 'integer', nullable: false } }],
  select_permissions: [{ role: 'user', permission: { columns: ['n'], filter: {} } }],
};
const nativeQuery = {
  root_field_name: 'sums',
  code: 'SELECT 1 AS n',
  arguments: {},
  returns: 'sum',
  type: 'query',
};
const storedProcedure = {
  stored_procedure: { schema: 'public', name: 'p' },
  returns: 'sum',
  configuration: {},
};
const agent = { uri: 'http://agent.example' };

const weather = {
  name: 'weather',
  definition: {
    to_remote_schema: {
      remote_schema: 'weather',
      lhs_fields: ['id'],
      remote_field: { rain: { arguments: { place: '$id' } } },
    },
  },
};
const oldWeather = {
  name: 'old_weather',
  definition: { remote_schema: 'weather', hasura_fields: ['id'], remote_field: { rain: { arguments: {} } } },
};
const bills = {
  name: 'bills',
  definition: {
    to_source: {
      relationship_type: 'array',
      source: 'ledger',
      table: 'bills',
      field_mapping: { id: 'owner' },
    },
  },
};

/** As an export gives it. */
const metadata = {
  version: 3,
  sources: [
    {
      name: 'default',
      kind: 'postgres',
      tables: [
        {
          table: { name: 'modelled', schema: 'public' },
          select_permissions: [{ role: 'user', permission: { columns: ['id'], filter: {} } }],
          logical_model: 'sum',
        },
        {
          table: { name: 'person', schema: 'public' },
          remote_relationships: [bills, oldWeather, weather],
          select_permissions: [
            { role: 'user', permission: { columns: ['id'], filter: { id: { _eq: 'X-Hasura-User-Id' } } } },
          ],
        },
      ],
      functions: [
        {
          function: { name: 'people', schema: 'public' },
          configuration: { response: { type: 'table', table: 'person' } },
        },
      ],
      native_queries: [nativeQuery],
      stored_procedures: [storedProcedure],
      logical_models: [logicalModel],
      configuration: {
        connection_info: {
          database_url: { from_env: 'HASURA_GRAPHQL_DATABASE_URL' },
          isolation_level: 'read-committed',
          use_prepared_statements: false,
        },
      },
    },
    mssql,
    {
      name: 'secret',
      kind: 'postgres',
      tables: [],
      configuration: {
        connection_info: {
          database_url: { dynamic_from_file: '/run/url' },
          isolation_level: 'read-committed',
          use_prepared_statements: false,
        },
      },
    },
  ],
  remote_schemas: [remoteSchema],
  actions: [
    {
      name: 'whose',
      definition: {
        handler: 'http://handler.example',
        ignored_client_headers: ['Host'],
        output_type: 'Owner',
        type: 'query',
      },
      permissions: [{ role: 'user' }],
    },
  ],
  custom_types: {
    objects: [
      {
        name: 'Owner',
        fields: [{ name: 'id', type: 'Int!' }],
        relationships: [
          {
            field_mapping: { id: 'owner' },
            name: 'bills',
            remote_table: { name: 'bills', schema: 'dbo' },
            source: 'ledger',
            type: 'array',
          },
        ],
      },
    ],
  },
  backend_configs: { dataconnector: { sheets: agent } },
};

const SQL = `CREATE TABLE person (id int PRIMARY KEY); CREATE TABLE modelled (id int); INSERT INTO person VALUES (1), (2);
  CREATE FUNCTION people() RETURNS SETOF person LANGUAGE sql STABLE AS 'SELECT * FROM person';`;

const objects = z.array(
  z.object({ type: z.string(), name: z.string(), reason: z.string(), definition: z.unknown() }),
);
const EXPECTED = [
  ['action', 'action whose'],
  ['custom_types', 'custom_types custom_types'],
  ['data_connector_agent', 'data_connector_agent sheets'],
  ['function', 'function people in source default'],
  ['logical_model', 'logical_model sum in source default'],
  ['native_query', 'native_query sums in source default'],
  ['remote_relationship', 'remote_relationship bills in table person in source default'],
  ['remote_relationship', 'remote_relationship old_weather in table person in source default'],
  ['remote_relationship', 'remote_relationship weather in table person in source default'],
  ['remote_schema', 'remote_schema weather'],
  ['source', 'source ledger'],
  ['source', 'source secret'],
  ['stored_procedure', 'stored_procedure public.p in source default'],
  ['table', 'table modelled in source default'],
];

let database: TestDatabase;
let engine: TestEngine;
beforeAll(async () => {
  database = await createDatabase();
  await database.query(SQL);
  engine = await startEngine({}, database);
});
afterAll(async () => {
  await engine.close();
  await database.close();
});

test('replacing the metadata fails for it, in the form of Hasura', async () => {
  const refusal = z
    .object({ error: z.string(), code: z.string(), path: z.string(), internal: objects })
    .parse(await engine.refusal('replace_metadata', { metadata, allow_inconsistent_metadata: false }));
  expect(refusal).toMatchObject({
    error: 'cannot continue due to inconsistent metadata',
    code: 'unexpected',
    path: '$.args',
  });
  expect(refusal.internal.map(({ type, name }) => [type, name]).toSorted()).toEqual(EXPECTED);
  expect(await engine.metadata('export_metadata', {})).not.toHaveProperty('remote_schemas');
});

describe('where it is allowed', () => {
  beforeAll(async () => {
    await engine.metadata('replace_metadata', { metadata, allow_inconsistent_metadata: true });
  });

  test('each says what it is and why, and is exported as it was written', async () => {
    const answer = z
      .object({ is_consistent: z.literal(false), inconsistent_objects: objects })
      .parse(await engine.metadata('get_inconsistent_metadata', {}));
    const found = new Map(answer.inconsistent_objects.map(({ name, ...rest }) => [name, rest]));
    expect(found.get('remote_schema weather')).toEqual({
      type: 'remote_schema',
      definition: remoteSchema,
      reason: 'Inconsistent object: remote schemas are not supported by the embedded engine',
    });
    expect(found.get('source ledger')).toEqual({
      type: 'source',
      definition: 'ledger',
      reason: 'Inconsistent object: sources of kind "mssql" are not supported by the embedded engine',
    });
    expect(found.get('source secret')?.reason).toBe(
      'Inconsistent object: dynamic secrets (dynamic_from_file) are not supported by the embedded engine',
    );
    expect(found.get('remote_relationship weather in table person in source default')?.reason).toContain(
      'in table "person": in remote relationship "weather": remote schema with name "weather" not found',
    );
    expect(found.get('remote_relationship bills in table person in source default')?.reason).toContain(
      'source not found: "ledger"',
    );
    expect(await engine.metadata('export_metadata', {})).toEqual(metadata);
  });

  test('a role has what is left, and no more', async () => {
    const asUser = { 'x-hasura-role': 'user', 'x-hasura-user-id': '2' };
    const ask = async (query: string) => (await engine.graphql(query, { headers: asUser })).body;
    expect(await ask('{person{id}}')).toEqual({ data: { person: [{ id: 2 }] } });
    expect(await ask('{__type(name: "query_root"){fields{name}}}')).toEqual({
      data: { __type: { fields: [{ name: 'person' }, { name: 'person_by_pk' }] } },
    });
    expect(await ask('{__type(name: "person"){fields{name}}}')).toEqual({
      data: { __type: { fields: [{ name: 'id' }] } },
    });
  });

  test('what is changed besides does not fail for it', async () => {
    await engine.metadata('pg_set_table_customization', {
      source: 'default',
      table: 'person',
      configuration: { custom_name: 'human' },
    });
    expect(
      await engine.refusal('pg_add_source', {
        name: 'ledger',
        configuration: { connection_info: { database_url: 'postgres://x' } },
      }),
    ).toMatchObject({ code: 'already-exists' });
    await engine.metadata('pg_delete_remote_relationship', {
      source: 'default',
      table: 'person',
      name: 'old_weather',
    });
    const { inconsistent_objects: left } = z
      .object({ inconsistent_objects: objects })
      .parse(await engine.metadata('get_inconsistent_metadata', {}));
    expect(left).toHaveLength(EXPECTED.length - 1);
  });

  test('an engine starts with it, and says what is left out', async () => {
    const lines: string[] = [];
    const config = readConfig({
      HASURA_GRAPHQL_DATABASE_URL: database.url,
      HASURA_GRAPHQL_ADMIN_SECRET: 'x',
      HASURA_GRAPHQL_SERVER_PORT: '0',
    });
    const other = await startEngineServer(
      config,
      createLogger((line) => lines.push(line)),
    );
    await other.close();
    const said = lines.filter((line) => line.includes('objects of the metadata are inconsistent'));
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('remote schemas are not supported by the embedded engine');
  });

  test('drop_inconsistent_metadata drops it all', async () => {
    await engine.metadata('drop_inconsistent_metadata', {});
    expect(await engine.metadata('get_inconsistent_metadata', {})).toEqual({
      is_consistent: true,
      inconsistent_objects: [],
    });
    const left = JSON.stringify(await engine.metadata('export_metadata', {}));
    for (const gone of ['weather', 'ledger', 'sheets', 'sums', 'dynamic', 'modelled', 'stored_procedure'])
      expect(left).not.toContain(gone);
    expect(left).toContain('X-Hasura-User-Id');
  });
});
