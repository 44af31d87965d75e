import { expect, test } from 'vitest';
import type { Metadata } from '../../project/metadata.ts';
import { compareMetadata, mergeMetadata } from '../../project/metadata-objects.ts';

const withPermission = (kind: string, permission: Record<string, unknown>): Metadata => ({
  version: 3,
  sources: [
    {
      name: 'default',
      tables: [{ table: 'notes', [`${kind}_permissions`]: [{ role: 'user', permission }] }],
    },
  ],
});
const READ = { columns: ['id', 'body'], filter: { owner: { _eq: 'X-Hasura-User-Id' } } };
const WRITE = { columns: ['body'], check: {}, filter: {} };

test.each<[string, string, Record<string, unknown>, Record<string, unknown>]>([
  ['a filter that lets everything through', 'select', READ, { ...READ, filter: {} }],
  [
    'an empty list in a filter',
    'select',
    { ...READ, filter: { id: { _in: [] } } },
    { ...READ, filter: { id: {} } },
  ],
  ['no root fields, where all were there', 'select', READ, { ...READ, query_root_fields: [] }],
  ['no subscriptions', 'select', READ, { ...READ, subscription_root_fields: [] }],
  ['a preset of false', 'insert', WRITE, { ...WRITE, set: { is_public: false } }],
  ['a preset of null', 'update', WRITE, { ...WRITE, set: { owner: null } }],
  ['aggregations', 'select', READ, { ...READ, allow_aggregations: true }],
  ['a column more', 'select', READ, { ...READ, columns: ['id', 'body', 'secret'] }],
  ['a setting that is not known here', 'select', READ, { ...READ, of_a_later_hasura: false }],
])('%s is another permission', (_, kind, one, other) => {
  const changed = [`source default: table public.notes: ${kind} permission of user`];
  expect(compareMetadata(withPermission(kind, one), withPermission(kind, other)).changed).toEqual(changed);
  expect(compareMetadata(withPermission(kind, other), withPermission(kind, one)).changed).toEqual(changed);
});

test.each<[string, Record<string, unknown>]>([
  ['columns in another order', { columns: ['body', 'id'] }],
  ['defaults written out', { allow_aggregations: false, limit: null, set: {}, comment: '' }],
])('%s are the same permission', (_, more) => {
  const [one, other] = [READ, { ...READ, ...more }].map((permission) => withPermission('select', permission));
  if (one === undefined || other === undefined) throw new Error('Both are there.');
  expect(compareMetadata(one, other)).toEqual({ missing: [], changed: [], added: [] });
});

test('a table is the same by name and by schema and name', () => {
  const named = (table: unknown): Metadata => ({
    version: 3,
    sources: [{ name: 'default', tables: [{ table }] }],
  });
  const both = [named('notes'), named({ schema: 'public', name: 'notes' })] as const;
  expect(compareMetadata(...both)).toEqual({ missing: [], changed: [], added: [] });
});

test('a merge takes a permission whole, from one side or from the other', () => {
  const there = withPermission('select', { columns: ['id'], filter: {}, limit: 10 });
  const ours = withPermission('select', READ);
  expect(mergeMetadata(there, ours, () => true).sources).toEqual(there.sources);
  expect(mergeMetadata(there, ours, () => false).sources).toEqual(ours.sources);
});
