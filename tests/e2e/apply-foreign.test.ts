import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApplyOptions, applyProject } from '@latchkey/scripts/project/apply-project';
import { createMetadataApi, type MetadataApi } from '@latchkey/scripts/project/metadata-api';
import { type Project, readProject } from '@latchkey/scripts/project/project';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/test-engine.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const ADMIN_SECRET = 'admin-secret-of-this-test';

let engine: TestEngine;
let api: MetadataApi;
let folder: string;
let project: Project;
let lines: string[];

beforeEach(async () => {
  engine = await startTestEngine({ adminSecret: ADMIN_SECRET });
  api = createMetadataApi(engine.url, ADMIN_SECRET);
  folder = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
  for (const part of ['hasura', 'metadata', 'migrations']) {
    await cp(join(ROOT, part), join(folder, part), { recursive: true });
  }
  project = await readProject(join(folder, 'hasura'));
  lines = [];
});
afterEach(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

const apply = (options: ApplyOptions = {}) =>
  applyProject(api, project, { report: (line) => lines.push(line), ...options });
const exported = async (): Promise<string> =>
  JSON.stringify(((await api.metadata('export_metadata', {}, 2)) as { metadata: unknown }).metadata);
const count = async (sql: string): Promise<unknown> => {
  const { result } = (await api.query('run_sql', { source: 'default', sql })) as { result: string[][] };
  return result[1]?.[0];
};

async function addMigration(name: string, sql: string): Promise<void> {
  const path = join(project.migrationsDirectory, 'default', name);
  await mkdir(path);
  await writeFile(join(path, 'up.sql'), sql);
}

const file = (name: string): string =>
  join(project.metadataDirectory, 'databases', 'default', 'tables', name);
const edit = async (name: string, change: (text: string) => string): Promise<void> =>
  writeFile(file(name), change(await readFile(file(name), 'utf8')));

/** What another project has put there: a table of its own that role `user` sees whole, and a cron trigger. */
async function trackNotes(): Promise<void> {
  await api.query('run_sql', {
    source: 'default',
    sql: 'create table notes (id int primary key, body text)',
  });
  await api.metadata('pg_track_table', { source: 'default', table: 'notes' });
  const permission = { columns: '*', filter: {} };
  await api.metadata('pg_create_select_permission', {
    source: 'default',
    table: 'notes',
    role: 'user',
    permission,
  });
  await api.metadata('create_cron_trigger', {
    name: 'nightly',
    webhook: 'http://127.0.0.1:9/nightly',
    schedule: '0 3 * * *',
    include_in_metadata: true,
  });
}

describe('a Hasura that holds somebody else’s metadata', () => {
  test('is left as it is, and told what would be lost', async () => {
    await trackNotes();
    const before = await exported();
    await expect(apply()).rejects.toThrow(
      /nothing was done, for it would\n {2}drop source default: table public\.notes\n {2}drop cron trigger nightly\n(.*\n)*.*--merge.*--replace/,
    );
    expect(await exported()).toBe(before);
    expect(await count("select count(*) from pg_namespace where nspname = 'identity'")).toBe('0');
    // What would be lost, as diff -u tells it.
    expect(lines.join('\n')).toMatch(/^--- Hasura\n\+\+\+ this project\n/m);
    expect(lines.join('\n')).toMatch(/^-\s+name: notes$/m);
  });

  test('keeps all of it with --merge, beside ours; a second time changes nothing', async () => {
    await trackNotes();
    expect((await apply({ onForeign: 'merge' })).inconsistent.join()).not.toMatch(/table/);
    const merged = await exported();
    for (const name of ['"notes"', '"nightly"', '"users"', '"syncMe"']) expect(merged).toContain(name);
    await apply({ onForeign: 'merge' });
    expect(await exported()).toBe(merged);
  });

  test('gives way with --replace, and a copy of what was there is kept first', async () => {
    await trackNotes();
    const before = await exported();
    let kept = '';
    const backUp = async (metadata: unknown): Promise<string> => {
      kept = JSON.stringify(metadata);
      return 'there.json';
    };
    await apply({ onForeign: 'replace', backUp });
    expect(JSON.parse(kept)).toEqual(JSON.parse(before));
    expect(lines).toContain('the metadata that were there: there.json');
    expect(await exported()).not.toContain('"notes"');
  });

  test('a permission that was changed there is not replaced in silence', async () => {
    await apply();
    const permission = { columns: ['id'], filter: { id: { _eq: 'X-Hasura-User-Id' } } };
    const table = { schema: 'public', name: 'users' };
    await api.metadata('pg_drop_select_permission', { source: 'default', table, role: 'user' });
    await api.metadata('pg_create_select_permission', { source: 'default', table, role: 'user', permission });
    const before = await exported();
    await expect(apply()).rejects.toThrow(/source default: table public\.users: select permission of user/);
    await expect(apply({ onForeign: 'merge' })).rejects.toThrow(/they differ; nothing was done/);
    expect(await exported()).toBe(before);
    await apply({ onForeign: 'merge', keepConflicts: true });
    expect(lines.join('\n')).toMatch(/kept as Hasura has it: .*select permission of user/);
    expect(await exported()).toBe(before);
    await apply({ onForeign: 'replace' });
    expect(await exported()).not.toBe(before);
  });

  test('what these files have put there themselves they may take away', async () => {
    await apply();
    await edit('tables.yaml', (text) => text.replace(/^.*identity_reconcile_keys.*\n/m, ''));
    await apply();
    expect(await exported()).not.toContain('"reconcile_keys"');
    expect(lines.join('\n')).toMatch(/passed over: .*identity_reconcile_keys\.yaml is in no list/);
  });

  test('what another project has put there with the same command is foreign all the same', async () => {
    await apply();
    await rm(join(project.migrationsDirectory, 'default'), { recursive: true });
    await mkdir(join(project.migrationsDirectory, 'default'));
    await addMigration('1_mine', 'create table mine (id int primary key)');
    await writeFile(file('tables.yaml'), '- table: { schema: public, name: mine }\n');
    await expect(apply()).rejects.toThrow(/drop source default: table public\.users/);
  });

  test('after a merge still is: a plain run does not take their part for ours', async () => {
    await trackNotes();
    await apply({ onForeign: 'merge' });
    await expect(apply()).rejects.toThrow(/drop source default: table public\.notes/);
    // What is ours may go and change all the same.
    await edit('tables.yaml', (text) => text.replace(/^.*identity_reconcile_keys.*\n/m, ''));
    await edit('public_users.yaml', (text) => text.replace('        - phone\n', ''));
    await apply({ onForeign: 'merge' });
    const merged = await exported();
    expect(merged).toContain('"notes"');
    expect(merged).not.toContain('"reconcile_keys"');
    expect(merged).not.toContain('"phone"');
  });
});

describe('a migration', () => {
  test('that ends its transaction itself is not said to be undone, and waits for somebody to look', async () => {
    await apply();
    await addMigration('1999999999990_half', 'begin;\ncreate table half (id int);\ncommit;\nselect 1 / 0;');
    await expect(apply()).rejects.toThrow(
      /division by zero.*COMMIT in line 3\), so what stands before.*--settle/,
    );
    expect(await count("select count(*) from pg_class where relname = 'half'")).toBe('1');
    await expect(apply()).rejects.toThrow(/1999999999990_half took effect on default is not known/);
    await apply({ settle: 'applied' });
    expect((await apply()).migrations).toEqual([]);
  });

  test('that PostgreSQL runs in no transaction is told with the way out', async () => {
    await addMigration('1999999999991_index', 'create index concurrently on public.users (email)');
    await expect(apply()).rejects.toThrow(
      /nothing of it was done: .*transaction block.*psql.*--settle applied/,
    );
    await apply({ settle: 'applied' });
  });

  test('that was edited after it had been applied is named', async () => {
    await addMigration('1999999999992_note', 'create table noted (id int)');
    await apply();
    await writeFile(
      join(project.migrationsDirectory, 'default', '1999999999992_note', 'up.sql'),
      'create table noted (id bigint)',
    );
    await apply();
    expect(lines).toContain(
      'edited: default/1999999999992_note is not what it was when it was applied, and it is not run again',
    );
  });

  test('of a database that Hasura does not have is passed over, and the others run', async () => {
    const path = join(project.migrationsDirectory, 'elsewhere', '1_there');
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'up.sql'), 'select 1');
    const { migrations } = await apply();
    expect(migrations.length).toBeGreaterThan(3);
    expect(lines).toContain(
      'passed over: migration elsewhere/1_there, for Hasura has no database of this name',
    );
  });

  test('of a database that Hasura cannot reach is passed over with Hasura’s reason', async () => {
    const path = join(project.migrationsDirectory, 'elsewhere', '1_there');
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'up.sql'), 'select 1');
    await writeFile(
      join(project.metadataDirectory, 'databases', 'databases.yaml'),
      `${await readFile(join(project.metadataDirectory, 'databases', 'databases.yaml'), 'utf8')}
- name: elsewhere
  kind: postgres
  configuration: { connection_info: { database_url: { from_env: ELSEWHERE_URL } } }
  tables: []
`,
    );
    const { migrations, inconsistent } = await apply();
    expect(migrations.map(({ database }) => database)).not.toContain('elsewhere');
    expect(lines.join('\n')).toMatch(/passed over: migration elsewhere\/1_there, for .*ELSEWHERE_URL/);
    expect(inconsistent.join('\n')).toMatch(/ELSEWHERE_URL/);
  });
});
