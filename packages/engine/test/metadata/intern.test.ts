import { expect, test } from 'vitest';
import { parseMetadata } from '#metadata/parse.ts';

const permission = (role: string, filter: unknown) => ({ role, permission: { columns: ['id'], filter } });
const table = (name: string, ...permissions: unknown[]) => ({ table: name, select_permissions: permissions });
const parsed = (...tables: unknown[]) =>
  parseMetadata({
    version: 3,
    sources: [
      {
        name: 'default',
        kind: 'postgres',
        configuration: { connection_info: { database_url: 'postgres://x' } },
        tables,
      },
    ],
  }).sources[0]?.tables.map((entry) => entry.select_permissions.map((one) => one.permission)) ?? [];

test('equal permissions are one object, of other roles and other tables too', () => {
  const own = { owner: { _eq: 'X-Hasura-User-Id' } };
  const [first = [], second = []] = parsed(
    table('a', permission('x', own), permission('y', own)),
    table('b', permission('x', own)),
  );
  expect(first[0]?.filter).toEqual(own);
  expect(first[1]).toBe(first[0]);
  expect(second[0]).toBe(first[0]);
});

test('permissions that differ at all stay apart', () => {
  const [only = []] = parsed(
    table(
      'a',
      permission('x', { id: { _eq: 1 } }),
      permission('y', { id: { _eq: '1' } }),
      permission('z', {}),
    ),
  );
  expect(only.map(({ filter }) => filter)).toEqual([{ id: { _eq: 1 } }, { id: { _eq: '1' } }, {}]);
});
