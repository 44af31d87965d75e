/**
 * Metadata that the engine does not understand never means a permission that is not enforced: an unknown key is put into
 * every object of a project's metadata, in turn, and nobody sees or may do more than before.
 */
import { createDatabase, type TestDatabase } from '@latchkey/tests/support/postgres';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readConfig } from '#base/config.ts';
import { EngineError } from '#base/errors.ts';
import { createSession } from '#base/session.ts';
import { buildCore } from '#core/build-core.ts';
import type { Core } from '#core/core.ts';
import { parseMetadata } from '#metadata/parse.ts';
import type { Catalog } from '#postgres/catalog.ts';
import { readCatalog } from '#postgres/read-catalog.ts';
import { testPool } from '../support/test-pool.ts';

const SQL = `
CREATE TABLE team (id int PRIMARY KEY, name text, secret text);
CREATE TABLE person (id int PRIMARY KEY, team_id int REFERENCES team, name text, secret text, notes jsonb);
CREATE TABLE color (value text PRIMARY KEY, comment text);
INSERT INTO team VALUES (1, 'one', 's1'), (2, 'two', 's2');
INSERT INTO person VALUES (1, 1, 'Ada', 'x', '{"a": 1}'), (2, 1, 'Bob', 'y', '{}'), (3, 2, 'Cy', 'z', '{}');
INSERT INTO color VALUES ('red', 'c');
CREATE FUNCTION shout(person_row person, session json) RETURNS text LANGUAGE sql STABLE
  AS $$ SELECT upper(person_row.name) || (session->>'x-hasura-user-id') $$;
CREATE FUNCTION all_people(session json) RETURNS SETOF person LANGUAGE sql STABLE
  AS $$ SELECT * FROM person WHERE id = (session->>'x-hasura-user-id')::int OR session->>'x-hasura-role' = 'admin' $$;
`;

const OWN = { id: { _eq: 'X-Hasura-User-Id' } };
const TRANSFORM = {
  version: 2,
  template_engine: 'Kriti',
  body: { action: 'transform', template: '{{$body}}' },
};
const validate = {
  type: 'http',
  definition: { url: 'http://check.example', headers: [{ name: 'a', value: 'b' }] },
};

/** Something of every kind. */
const METADATA = {
  version: 3,
  sources: [
    {
      name: 'default',
      kind: 'postgres',
      configuration: {
        connection_info: {
          database_url: { from_env: 'URL' },
          pool_settings: { max_connections: 5 },
        },
      },
      customization: { root_fields: { prefix: 'app_' }, type_names: { suffix: '_t' } },
      query_tags: { disabled: true },
      tables: [
        {
          table: { schema: 'public', name: 'person' },
          configuration: {
            custom_name: 'human',
            comment: 'people',
            custom_root_fields: { select: 'people', select_by_pk: { name: 'one_person', comment: 'c' } },
            column_config: { notes: { custom_name: 'remarks', comment: 'r' } },
          },
          object_relationships: [{ name: 'team', using: { foreign_key_constraint_on: 'team_id' } }],
          computed_fields: [
            { name: 'loud', definition: { function: 'shout', session_argument: 'session' }, comment: 'l' },
          ],
          remote_relationships: [
            {
              name: 'again',
              definition: {
                to_source: {
                  relationship_type: 'object',
                  source: 'default',
                  table: { schema: 'public', name: 'person' },
                  field_mapping: { id: 'id' },
                },
              },
            },
          ],
          select_permissions: [
            {
              role: 'user',
              comment: 'own',
              permission: {
                columns: ['id', 'team_id', 'name', 'notes'],
                computed_fields: ['loud'],
                filter: {
                  _and: [
                    { _or: [OWN, { team: { name: { _eq: 'X-Hasura-Team' } } }] },
                    { _not: { secret: { _in: ['z'] } } },
                    { _exists: { _table: { schema: 'public', name: 'team' }, _where: { id: { _gt: 0 } } } },
                    { _not: { notes: { _contains: { b: 1 } } } },
                  ],
                },
                limit: 2,
                allow_aggregations: true,
                query_root_fields: ['select', 'select_aggregate'],
                subscription_root_fields: ['select'],
              },
            },
            { role: 'reader', permission: { columns: ['id'], filter: { team_id: { _eq: 1 } } } },
          ],
          insert_permissions: [
            {
              role: 'user',
              permission: {
                check: OWN,
                set: { team_id: 1 },
                columns: ['id', 'name'],
                validate_input: validate,
              },
            },
          ],
          update_permissions: [
            {
              role: 'user',
              permission: {
                columns: ['name'],
                filter: OWN,
                check: { _and: [OWN, { name: { _neq: 'X' } }] },
                set: { secret: 'X-Hasura-User-Id' },
                backend_only: true,
              },
            },
          ],
          delete_permissions: [{ role: 'user', permission: { filter: OWN } }],
          event_triggers: [
            {
              name: 'made',
              definition: { insert: { columns: '*', payload: ['id'] }, enable_manual: true },
              retry_conf: { num_retries: 1 },
              webhook: 'http://hook.example',
              headers: [{ name: 'a', value: 'b' }],
              request_transform: TRANSFORM,
            },
          ],
        },
        {
          table: { schema: 'public', name: 'team' },
          array_relationships: [
            {
              name: 'members',
              using: {
                foreign_key_constraint_on: { column: 'team_id', table: { schema: 'public', name: 'person' } },
              },
            },
            {
              name: 'others',
              using: {
                manual_configuration: {
                  remote_table: { schema: 'public', name: 'person' },
                  column_mapping: { id: 'team_id' },
                },
              },
            },
          ],
          select_permissions: [
            { role: 'user', permission: { columns: ['id', 'name'], filter: { members: OWN } } },
            {
              role: 'reader',
              permission: { columns: '*', filter: { members: { team: { secret: { _eq: 's1' } } } } },
            },
          ],
        },
        { table: 'color', is_enum: true },
      ],
      functions: [
        {
          function: { schema: 'public', name: 'all_people' },
          configuration: { session_argument: 'session', custom_root_fields: { function: 'everybody' } },
          permissions: [{ role: 'user' }],
        },
      ],
    },
  ],
  inherited_roles: [{ role_name: 'both', role_set: ['user', 'reader'] }],
  actions: [
    {
      name: 'act',
      definition: {
        handler: 'http://act.example',
        output_type: 'Out',
        arguments: [{ name: 'in', type: 'In!' }],
        headers: [{ name: 'a', value: 'b' }],
        request_transform: TRANSFORM,
        type: 'query',
      },
      permissions: [{ role: 'user', comment: 'p' }],
    },
  ],
  custom_types: {
    input_objects: [{ name: 'In', fields: [{ name: 'a', type: 'Mood' }] }],
    objects: [
      {
        name: 'Out',
        fields: [{ name: 'id', type: 'Int!' }],
        relationships: [
          {
            name: 'who',
            type: 'object',
            source: 'default',
            remote_table: { schema: 'public', name: 'person' },
            field_mapping: { id: 'id' },
          },
        ],
      },
    ],
    scalars: [{ name: 'Free' }],
    enums: [{ name: 'Mood', values: [{ value: 'GOOD' }] }],
  },
  cron_triggers: [
    {
      name: 'tick',
      webhook: 'http://tick.example',
      schedule: '0 3 * * *',
      include_in_metadata: true,
      payload: { a: 1 },
      retry_conf: { num_retries: 1 },
    },
  ],
  query_collections: [{ name: 'all', definition: { queries: [{ name: 'q', query: '{app_people{id}}' }] } }],
  allowlist: [{ collection: 'all', scope: { global: false, roles: ['user'] } }],
  rest_endpoints: [
    {
      name: 'r',
      url: 'r',
      methods: ['GET'],
      definition: { query: { collection_name: 'all', query_name: 'q' } },
    },
  ],
  api_limits: { depth_limit: { global: 5, per_role: { user: 3 } } },
  graphql_schema_introspection: { disabled_for_roles: [] },
  network: { tls_allowlist: [{ host: 'a' }] },
  metrics_config: { analyze_query_variables: true },
};

const ROLES = ['user', 'reader', 'both', 'nobody'];
const VARIABLES = { 'x-hasura-user-id': '1', 'x-hasura-team': 'one' };

let database: TestDatabase;
let pool: pg.Pool;
let catalog: Catalog;
let before: ReadonlySet<string>;
beforeAll(async () => {
  database = await createDatabase();
  await database.query(SQL);
  pool = testPool(database.url);
  catalog = await readCatalog(pool);
  before = await visible(METADATA);
});
afterAll(async () => {
  await pool.end();
  await database.close();
});

async function coreOf(metadata: unknown): Promise<Core> {
  const parsed = parseMetadata(metadata);
  return buildCore({
    metadata: parsed,
    sources: parsed.sources.map((source) => ({ metadata: source, pool, catalog })),
    metadataPool: pool,
    config: readConfig({ HASURA_GRAPHQL_DATABASE_URL: database.url }),
  });
}

const fieldType = z.object({
  name: z.string(),
  fields: z.array(z.object({ name: z.string(), args: z.array(z.object({ name: z.string() })) })).nullable(),
  inputFields: z.array(z.object({ name: z.string() })).nullable(),
});
const introspected = z.object({ data: z.object({ __schema: z.object({ types: z.array(fieldType) }) }) });

/** What is there for each role: fields, arguments, rows. Nothing at all where the metadata are refused. */
async function visible(metadata: unknown): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  let core: Core;
  try {
    core = await coreOf(metadata);
  } catch (error) {
    if (error instanceof EngineError) return seen;
    throw error;
  }
  for (const role of ROLES)
    for (const backendOnly of [false, true]) {
      const session = { ...createSession(role, VARIABLES), backendOnly };
      const ask = async (query: string) => {
        try {
          const operation = core.prepare({ query }, session);
          if (operation.kind === 'subscription') return '';
          return (await operation.run({ headers: [], requestId: 'test' })).body;
        } catch (error) {
          if (error instanceof EngineError) return '';
          throw error;
        }
      };
      const surface = await ask('{__schema{types{name fields{name args{name}} inputFields{name}}}}');
      const { types } = introspected.parse(JSON.parse(surface)).data.__schema;
      const own = types.filter(({ name }) => !name.startsWith('__'));
      for (const { name, fields, inputFields } of own) {
        for (const field of fields ?? []) {
          if (field.name === 'no_queries_available') continue;
          seen.add(`${role} ${backendOnly} ${name}.${field.name}`);
          for (const { name: arg } of field.args)
            seen.add(`${role} ${backendOnly} ${name}.${field.name}(${arg})`);
        }
        for (const field of inputFields ?? []) seen.add(`${role} ${backendOnly} ${name}{${field.name}}`);
      }
      for (const query of [
        'app_people{id name remarks loud team_id team{id} again{id name}}',
        'app_people{id}',
        'app_people_aggregate{aggregate{count}}',
        'app_human_aggregate{aggregate{count}}',
        'app_team{id name members{id}}',
        'app_team{id secret}',
        'app_everybody{id}',
      ])
        seen.add(`${role} ${query} ${rows(await ask(`{${query}}`))}`);
    }
  return seen;
}

/** Errors are all one: nothing is seen. */
const rows = (body: string) => (body.startsWith('{"data"') ? body : '');

/** What the first says besides the second: rows that are not among those of before, too. */
function more(after: ReadonlySet<string>, than: ReadonlySet<string>): string[] {
  return [...after].filter((one) => !than.has(one) && !one.endsWith(' '));
}

type Path = readonly (string | number)[];

/** Paths of all objects. */
function objectsOf(value: unknown, path: Path = []): Path[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => objectsOf(item, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return [path, ...Object.entries(value).flatMap(([key, item]) => objectsOf(item, [...path, key]))];
}

function withKey(value: unknown, path: Path, key: string, added: unknown): unknown {
  const copy: unknown = structuredClone(value);
  let at: unknown = copy;
  for (const step of path)
    at = z.record(z.string(), z.unknown()).or(z.array(z.unknown())).parse(at)[step as never];
  Object.assign(at as object, { [key]: added });
  return copy;
}

const UNKNOWN: readonly (readonly [string, unknown])[] = [
  ['surprise', true],
  ['_surprise', { _eq: 1 }],
  ['_or', [{}]],
];

test('the metadata are consistent, and show every role something', async () => {
  expect((await coreOf(METADATA)).inconsistencies.map(({ reason }) => reason)).toEqual([]);
  for (const role of ['user', 'reader', 'both'])
    expect(
      [...before].some(
        (one) =>
          one.startsWith(`${role} app_team{id name members{id}} {"data"`) ||
          one.startsWith(`${role} app_people{id} {"data"`),
      ),
    ).toBe(true);
});

describe('an unknown key shows nobody more', () => {
  const paths = objectsOf(METADATA);

  test('there are objects of all kinds', () => expect(paths.length).toBeGreaterThan(130));

  test.each(paths.map((path) => [path.join('.') || 'the whole', path] as const))('in %s', async (_, path) => {
    for (const [key, value] of UNKNOWN) {
      // `_or: [{}]` holds for every row, and is known where a condition stands.
      if (key === '_or' && isCondition(path)) continue;
      expect(more(await visible(withKey(METADATA, path, key, value)), before)).toEqual([]);
    }
  });
});

/** Where `_or` means what it says: it is joined to the rest by and, so it takes nothing away. */
function isCondition(path: Path): boolean {
  return path.some((step) => step === 'filter' || step === 'check' || step === '_where');
}
