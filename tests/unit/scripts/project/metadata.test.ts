import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readMetadata } from '../../../../scripts/project/metadata.ts';
import { readMigrations } from '../../../../scripts/project/migrations.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..', '..');

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

test('migrations are run by number, not by name', async () => {
  const path = await project('numbers', {
    'default/10_later/up.sql': 'select 10',
    'default/9_earlier/up.sql': 'select 9',
    'default/9_earlier/down.sql': '',
    'default/notes.md': 'not one',
  });
  expect(await readMigrations(path)).toEqual([
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
