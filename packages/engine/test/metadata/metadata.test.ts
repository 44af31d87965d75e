import { describe, expect, test } from 'vitest';
import { exportMetadata } from '#metadata/export.ts';
import { parseMetadata } from '#metadata/parse.ts';

const source = (extra: Record<string, unknown> = {}) => ({
  name: 'default',
  kind: 'postgres',
  tables: [],
  configuration: { connection_info: { database_url: { from_env: 'URL' } } },
  ...extra,
});
const withTable = (table: Record<string, unknown>) => ({
  version: 3,
  sources: [source({ tables: [{ table: 'users', ...table }] })],
});
const toSource = (definition: Record<string, unknown>) => ({
  name: 'a',
  definition: {
    to_source: {
      relationship_type: 'object',
      source: 'other',
      table: 't',
      field_mapping: { b: 'c' },
      ...definition,
    },
  },
});
const refusal = (metadata: unknown) => {
  try {
    parseMetadata(metadata);
    return 'accepted';
  } catch (error) {
    return error;
  }
};

describe('metadata that is not understood is refused with the path of the offending key', () => {
  test.each<[string, unknown, string, string | RegExp]>([
    ['at the top', { version: 3, plugins: [] }, '$.plugins', /unexpected key "plugins"/],
    [
      'in a filter, where it would be lost without a word',
      withTable({
        select_permissions: [
          {
            role: 'user',
            permission: { columns: '*', filter: JSON.parse('{"_and":[{"__proto__":{"_eq":1}}]}') },
          },
        ],
      }),
      '$.sources[0].tables[0].select_permissions[0].permission.filter._and[0]',
      /the key "__proto__" is not supported/,
    ],
    [
      'a number in a filter that would be read as another',
      withTable({
        select_permissions: [
          { role: 'user', permission: { columns: '*', filter: JSON.parse('{"id":{"_gt":1e400}}') } },
        ],
      }),
      '$.sources[0].tables[0].select_permissions[0].permission.filter.id._gt',
      /a number is too large; write it as text/,
    ],
    ['in a source', { version: 3, sources: [source({ cache: 1 })] }, '$.sources[0].cache', /unexpected key/],
    ['in a table', withTable({ permisions: [] }), '$.sources[0].tables[0].permisions', /unexpected key/],
    [
      'in a permission',
      withTable({
        select_permissions: [{ role: 'user', permission: { columns: '*', filter: {}, rows: 1 } }],
      }),
      '$.sources[0].tables[0].select_permissions[0].permission.rows',
      /unexpected key "rows"/,
    ],
    [
      'a permission without a filter',
      withTable({ select_permissions: [{ role: 'user', permission: { columns: '*' } }] }),
      '$.sources[0].tables[0].select_permissions[0].permission',
      'key "filter" not found',
    ],
    [
      'a filter that is a list',
      withTable({ delete_permissions: [{ role: 'user', permission: { filter: [] } }] }),
      '$.sources[0].tables[0].delete_permissions[0].permission.filter',
      /expected Object, but encountered Array/,
    ],
    [
      'a role without a name',
      withTable({ delete_permissions: [{ role: '', permission: { filter: {} } }] }),
      '$.sources[0].tables[0].delete_permissions[0].role',
      'empty string not allowed',
    ],
    [
      'a relationship of no kind',
      withTable({ object_relationships: [{ name: 'a', using: { magic: 1 } }] }),
      '$.sources[0].tables[0].object_relationships[0].using',
      /.+/,
    ],
    [
      'two permissions for one role',
      withTable({
        delete_permissions: [
          { role: 'user', permission: { filter: {} } },
          { role: 'user', permission: { filter: {} } },
        ],
      }),
      '$.sources[0].tables[0]',
      'multiple declarations exist for the following delete permissions: user',
    ],
    [
      'another kind of database without a name',
      { version: 3, sources: [{ ...source({ kind: 'mssql' }), name: '' }] },
      '$.sources[0].name',
      'empty string not allowed',
    ],
    [
      'a kind that is none',
      { version: 3, sources: [source({ kind: 5 })] },
      '$.sources[0].kind',
      /only "postgres" is/,
    ],
    [
      'two sources of one name, of whatever kinds',
      { version: 3, sources: [source(), source({ kind: 'mssql' })] },
      '$.sources',
      'multiple declarations exist for the following sources: default',
    ],
    [
      'a remote schema without a name',
      { version: 3, remote_schemas: [{}] },
      '$.remote_schemas[0]',
      /"name" not found/,
    ],
    [
      'two relationships of one name, of whatever kinds',
      withTable({
        remote_relationships: [
          toSource({}),
          { name: 'a', definition: { to_remote_schema: { remote_schema: 'b' } } },
        ],
      }),
      '$.sources[0].tables[0]',
      'multiple declarations exist for the following remote relationships: a',
    ],
    [
      'a relationship to another source that is joined by nothing',
      withTable({ remote_relationships: [toSource({ field_mapping: {} })] }),
      '$.sources[0].tables[0].remote_relationships[0].definition.to_source.field_mapping',
      'name at least one field and the column it is equal to',
    ],
    [
      'two relationships to other sources of one name',
      withTable({ remote_relationships: [toSource({}), toSource({})] }),
      '$.sources[0].tables[0]',
      'multiple declarations exist for the following remote relationships: a',
    ],
    ['no object', 'metadata', '$', /expected Object, but encountered String/],
  ])('%s', (_, metadata, path, message) => {
    expect(refusal(metadata)).toMatchObject({
      code: 'parse-failed',
      path,
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
  });

  test('parts of Hasura that are not supported may be there as long as they are empty', () => {
    const metadata = {
      version: 3,
      sources: [],
      remote_schemas: [],
      backend_configs: {},
      opentelemetry: null,
    };
    expect(exportMetadata(parseMetadata(metadata))).toEqual({ version: 3, sources: [] });
  });
});

describe('export', () => {
  const full = {
    version: 3,
    sources: [
      source({
        tables: [
          {
            table: { schema: 'public', name: 'users' },
            configuration: {
              custom_root_fields: { select: 'people', insert: { name: 'add', comment: 'adds' } },
              column_config: { id: { custom_name: 'key' } },
              custom_name: 'user',
            },
            object_relationships: [
              { name: 'boss', using: { foreign_key_constraint_on: 'boss_id' } },
              {
                name: 'account',
                using: {
                  manual_configuration: {
                    remote_table: { schema: 'public', name: 'accounts' },
                    column_mapping: { id: 'user_id' },
                    insertion_order: 'after_parent',
                  },
                },
              },
            ],
            array_relationships: [
              {
                name: 'posts',
                using: {
                  foreign_key_constraint_on: {
                    column: 'user_id',
                    table: { schema: 'public', name: 'posts' },
                  },
                },
              },
            ],
            computed_fields: [
              {
                name: 'full_name',
                definition: { function: { schema: 'public', name: 'full_name' } },
                comment: 'both',
              },
            ],
            insert_permissions: [
              {
                role: 'b',
                permission: { check: { id: { _eq: 'x' } }, set: { id: 'X-Hasura-User-Id' }, columns: '*' },
              },
              { role: 'a', permission: { check: {}, columns: ['id'], backend_only: true } },
            ],
            select_permissions: [
              {
                role: 'user',
                permission: {
                  columns: ['id'],
                  filter: { deleted_at: { _is_null: true } },
                  limit: 10,
                  allow_aggregations: true,
                  query_root_fields: [],
                },
              },
            ],
            update_permissions: [
              { role: 'user', permission: { columns: [], filter: {}, check: null } },
              { role: 'other', permission: { columns: [], filter: {}, check: {} } },
            ],
            event_triggers: [
              {
                name: 'changed',
                definition: { insert: { columns: '*' }, enable_manual: true },
                retry_conf: { num_retries: 1, interval_sec: 5, timeout_sec: 60 },
                webhook: 'http://a',
                headers: [{ name: 'a', value_from_env: 'B' }],
              },
            ],
          },
        ],
        functions: [
          { function: 'search', configuration: { exposed_as: 'query' }, permissions: [{ role: 'user' }] },
        ],
      }),
    ],
    inherited_roles: [{ role_name: 'both', role_set: ['a', 'b'] }],
    query_collections: [{ name: 'c', definition: { queries: [{ name: 'q', query: '{a}' }] } }],
    allowlist: [{ collection: 'c' }],
    cron_triggers: [
      {
        name: 'tick',
        webhook: 'http://a',
        schedule: '* * * * *',
        include_in_metadata: true,
        payload: { a: null },
      },
      { name: 'hidden', webhook: 'http://a', schedule: '* * * * *', include_in_metadata: false },
    ],
  };

  test('what is exported says the same again', () => {
    const once = exportMetadata(parseMetadata(full));
    expect(exportMetadata(parseMetadata(once))).toEqual(once);
    expect(JSON.stringify(exportMetadata(parseMetadata(once)))).toBe(JSON.stringify(once));
  });

  test('sorts by name, tells names in full and leaves defaults out', () => {
    const { sources } = exportMetadata(parseMetadata(full));
    expect(sources).toMatchObject([
      {
        tables: [
          {
            object_relationships: [{ name: 'account' }, { name: 'boss' }],
            insert_permissions: [{ role: 'a' }, { role: 'b' }],
            update_permissions: [
              { role: 'other', permission: { check: {} } },
              { role: 'user', permission: { check: null } },
            ],
            configuration: { custom_column_names: { id: 'key' }, custom_root_fields: { select: 'people' } },
          },
        ],
        functions: [{ function: { name: 'search', schema: 'public' } }],
      },
    ]);
    expect(JSON.stringify(sources)).not.toContain('is_enum');
  });

  test('cron triggers that are kept out of the metadata are kept out', () => {
    expect(exportMetadata(parseMetadata(full)).cron_triggers).toHaveLength(1);
    expect(exportMetadata(parseMetadata(full), true).cron_triggers).toHaveLength(2);
  });

  test('what consoles leave in permissions to write is not read', () => {
    const permission = {
      check: {},
      columns: '*',
      computed_fields: ['a'],
      localPresets: [{ key: '', value: '' }],
    };
    const parsed = parseMetadata(withTable({ insert_permissions: [{ role: 'user', permission }] }));
    expect(parsed.sources[0]?.tables[0]?.insert_permissions).toMatchObject([
      { permission: { check: {}, columns: '*' } },
    ]);
  });

  test('the kind of a query action is not read', () => {
    const action = (type: string, kind: string) => ({
      version: 3,
      actions: [{ name: 'a', definition: { handler: 'http://a', output_type: 'A', type, kind } }],
    });
    const { actions } = exportMetadata(parseMetadata(action('query', '')));
    expect(actions).toEqual([
      {
        name: 'a',
        definition: {
          handler: 'http://a',
          output_type: 'A',
          type: 'query',
          ignored_client_headers: expect.any(Array),
        },
      },
    ]);
    expect(refusal(action('mutation', ''))).toMatchObject({ path: '$.actions[0].definition.kind' });
  });

  test('the old custom_column_names fill in for column_config', () => {
    const parsed = parseMetadata(
      withTable({
        configuration: {
          custom_column_names: { a: 'x', b: 'y' },
          column_config: { b: { custom_name: 'z', comment: 'c' } },
        },
      }),
    );
    expect(parsed.sources[0]?.tables[0]?.configuration.column_config).toEqual({
      a: { custom_name: 'x' },
      b: { custom_name: 'z', comment: 'c' },
    });
  });
});
