import { expect, test } from 'vitest';
import { dropInconsistent } from '#api/editing/drop-inconsistent.ts';
import { objectName } from '#api/editing/names.ts';
import { exportMetadata } from '#metadata/export.ts';
import { parseMetadata } from '#metadata/parse.ts';

const table = { schema: 'public', name: 'users' };
const METADATA = parseMetadata({
  version: 3,
  sources: [
    {
      name: 'default',
      kind: 'postgres',
      configuration: { connection_info: { database_url: 'postgres://a' } },
      tables: [
        {
          table: 'users',
          object_relationships: [{ name: 'a', using: { foreign_key_constraint_on: 'x' } }],
          array_relationships: [
            { name: 'b', using: { foreign_key_constraint_on: { table: 't', column: 'x' } } },
          ],
          computed_fields: [{ name: 'c', definition: { function: 'f' } }],
          select_permissions: [{ role: 'user', permission: { columns: '*', filter: {} } }],
          event_triggers: [{ name: 'e', definition: {}, retry_conf: {}, webhook: 'http://a' }],
        },
        { table: 'others' },
      ],
      functions: [{ function: 'f', permissions: [{ role: 'user' }] }],
    },
  ],
  actions: [
    { name: 'act', definition: { handler: 'http://a', output_type: 'A' }, permissions: [{ role: 'user' }] },
  ],
  cron_triggers: [{ name: 'tick', webhook: 'http://a', schedule: '* * * * *', include_in_metadata: true }],
  inherited_roles: [{ role_name: 'both', role_set: ['a', 'b'] }],
});

test.each<[string, string]>([
  ['source', objectName.source('default')],
  ['table', objectName.table('default', table)],
  ['object relationship', objectName.relationship('object', 'default', table, 'a')],
  ['array relationship', objectName.relationship('array', 'default', table, 'b')],
  ['computed field', objectName.computedField('default', table, 'c')],
  ['permission', objectName.permission('select', 'default', table, 'user')],
  ['event trigger', objectName.eventTrigger('default', table, 'e')],
  ['function', objectName.function('default', { schema: 'public', name: 'f' })],
  ['function permission', objectName.functionPermission('default', { schema: 'public', name: 'f' }, 'user')],
  ['action', objectName.action('act')],
  ['action permission', objectName.actionPermission('act', 'user')],
  ['cron trigger', objectName.cronTrigger('tick')],
  ['inherited role', objectName.inheritedRole('both')],
])('an inconsistent %s is dropped, and nothing but it', (_, name) => {
  const before = JSON.stringify(exportMetadata(METADATA));
  const reason = { reason: '', definition: null, type: '' };
  const after = JSON.stringify(exportMetadata(dropInconsistent(METADATA, [{ name, ...reason }])));
  expect(after.length).toBeLessThan(before.length);
  const unrelated = dropInconsistent(METADATA, [{ name: `${name} else`, ...reason }]);
  expect(JSON.stringify(exportMetadata(unrelated))).toBe(before);
});
