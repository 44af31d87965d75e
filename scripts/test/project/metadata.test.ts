import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readMetadata } from '../../project/metadata.ts';
import { readMigrations } from '../../project/migrations.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function project(name: string, files: Record<string, string>): Promise<string> {
  const path = join(folder, name);
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, file)), { recursive: true });
    await writeFile(join(path, file), text);
  }
  return path;
}

test('this project’s metadata are read with all that they include', async () => {
  const { sources } = await readMetadata(join(ROOT, 'metadata'));
  expect(sources).toMatchObject([
    {
      name: 'default',
      kind: 'postgres',
      tables: expect.arrayContaining([
        expect.objectContaining({
          table: { schema: 'public', name: 'users' },
          select_permissions: expect.any(Array),
        }),
      ]),
    },
  ]);
});

test('both spellings of an include are followed, relative to the file they are in', async () => {
  const path = await project('includes', {
    'version.yaml': 'version: 3\n',
    'databases/databases.yaml':
      '- name: a\n  tables: "!include a/tables.yaml"\n- name: b\n  tables: !include b/tables.yaml\n',
    'databases/a/tables.yaml': '- "!include one.yaml"\n- !include one.yaml\n',
    'databases/a/one.yaml': 'table: one\n',
    'databases/b/tables.yaml': '[]\n',
    'cron_triggers.yaml': '- name: tick\n',
    'remote_schemas.yaml': '[]\n',
  });
  expect(await readMetadata(path)).toEqual({
    version: 3,
    sources: [
      { name: 'a', tables: [{ table: 'one' }, { table: 'one' }] },
      { name: 'b', tables: [] },
    ],
    cron_triggers: [{ name: 'tick' }],
  });
});

test('a missing or broken file is named', async () => {
  const missing = await project('missing', {
    'version.yaml': 'version: 3\n',
    'databases/databases.yaml': '- "!include gone.yaml"\n',
  });
  await expect(readMetadata(missing)).rejects.toThrow(/gone\.yaml cannot be read/);
  const broken = await project('broken', {
    'version.yaml': 'version: 3\n',
    'databases/databases.yaml': '- name: [a\n',
  });
  await expect(readMetadata(broken)).rejects.toThrow(/databases\.yaml: .+/);
  const old = await project('old', { 'version.yaml': 'version: 2\n', 'databases/databases.yaml': '[]\n' });
  await expect(readMetadata(old)).rejects.toThrow(/must say "version: 3"/);
});

test('actions are put together from their two files', async () => {
  const path = await project('actions', {
    'version.yaml': 'version: 3\n',
    'databases/databases.yaml': '[]\n',
    'actions.yaml': `
actions:
  - name: syncMe
    definition:
      kind: synchronous
      handler: http://service/actions/sync-me
    permissions:
      - role: user
custom_types:
  enums: []
  input_objects: []
  objects:
    - name: Synced
      relationships:
        - name: user
          type: object
          field_mapping: { id: id }
  scalars: []
`,
    'actions.graphql': `
extend type Mutation { syncMe(force: Boolean, hint: Hint!): Synced! }
type Synced { "Their id." id: String! at: When, tags: [Tag!]! }
input Hint { text: String! }
enum Tag { NEW OLD }
scalar When
`,
  });
  expect(await readMetadata(path)).toMatchObject({
    actions: [
      {
        name: 'syncMe',
        definition: {
          kind: 'synchronous',
          handler: 'http://service/actions/sync-me',
          type: 'mutation',
          arguments: [
            { name: 'force', type: 'Boolean' },
            { name: 'hint', type: 'Hint!' },
          ],
          output_type: 'Synced!',
        },
        permissions: [{ role: 'user' }],
      },
    ],
    custom_types: {
      objects: [
        {
          name: 'Synced',
          fields: [
            { name: 'id', type: 'String!', description: 'Their id.' },
            { name: 'at', type: 'When' },
            { name: 'tags', type: '[Tag!]!' },
          ],
          relationships: [{ name: 'user', type: 'object', field_mapping: { id: 'id' } }],
        },
      ],
      input_objects: [{ name: 'Hint', fields: [{ name: 'text', type: 'String!' }] }],
      enums: [{ name: 'Tag', values: [{ value: 'NEW' }, { value: 'OLD' }] }],
      scalars: [{ name: 'When' }],
    },
  });
});

test('an action that is in one of its two files alone is refused', async () => {
  const files = { 'version.yaml': 'version: 3\n', 'databases/databases.yaml': '[]\n' };
  const action = 'actions:\n  - name: a\n    definition: {}\n';
  const untyped = await project('untyped', { ...files, 'actions.yaml': action });
  await expect(readMetadata(untyped)).rejects.toThrow(/actions\.graphql has no field a/);
  const unhandled = await project('unhandled', { ...files, 'actions.graphql': 'type Query { b: Int }' });
  await expect(readMetadata(unhandled)).rejects.toThrow(/actions\.yaml has no action b/);
});

test('migrations are run by number, not by name', async () => {
  const path = await project('numbers', {
    'default/10_later/up.sql': 'select 10',
    'default/9_earlier/up.sql': 'select 9',
    'default/9_earlier/down.sql': '',
    'default/notes.md': 'not one',
  });
  expect(await readMigrations(path)).toMatchObject([
    { database: 'default', version: '9', name: '9_earlier', up: 'select 9' },
    { database: 'default', version: '10', name: '10_later', up: 'select 10' },
  ]);
});

test('a migration that would be passed over is refused instead', async () => {
  const flat = await project('flat', { 'default/1_a.up.sql': 'select 1' });
  await expect(readMigrations(flat)).rejects.toThrow(/1_a\.up\.sql is no folder: move it to .*1_a\/up\.sql/);
  const empty = await project('empty', { 'default/1_a/down.sql': '' });
  await expect(readMigrations(empty)).rejects.toThrow(/up\.sql is missing/);
});
