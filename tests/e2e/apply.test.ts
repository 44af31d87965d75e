import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalClerk } from '@latchkey/local/stand-ins/clerk';
import { applyProject } from '@latchkey/scripts/project/apply-project';
import { createMetadataApi, type MetadataApi } from '@latchkey/scripts/project/metadata-api';
import { type Project, readProject } from '@latchkey/scripts/project/project';
import { jwtSecretOf } from '@latchkey/scripts/stack/trust';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/test-engine.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const ADMIN_SECRET = 'admin-secret-of-this-test';

let engine: TestEngine;
let api: MetadataApi;
let folder: string;
/** A copy of this project, which the tests go on to change. */
let project: Project;
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const clerk = await startLocalClerk({ port: 0 });
  closers.push(() => clerk.close());
  engine = await startTestEngine({ adminSecret: ADMIN_SECRET, jwtSecret: jwtSecretOf(clerk) });
  closers.push(() => engine.close());
  api = createMetadataApi(engine.url, ADMIN_SECRET);
  folder = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
  closers.push(() => rm(folder, { recursive: true }));
  for (const part of ['hasura', 'metadata', 'migrations']) {
    await cp(join(ROOT, part), join(folder, part), { recursive: true });
  }
  project = await readProject(join(folder, 'hasura'));
});
afterAll(async () => {
  for (const closer of closers.reverse()) await closer();
});

async function addMigration(name: string, sql: string): Promise<() => Promise<void>> {
  const path = join(project.migrationsDirectory, 'default', name);
  await mkdir(path);
  await writeFile(join(path, 'up.sql'), sql);
  return () => rm(path, { recursive: true });
}

const recorded = async (): Promise<unknown> =>
  ((await api.metadata('get_catalog_state', {})) as { cli_state: unknown }).cli_state;
const exported = async (): Promise<unknown> =>
  ((await api.metadata('export_metadata', {}, 2)) as { metadata: unknown }).metadata;
const count = async (sql: string): Promise<unknown> => {
  const { result } = (await api.query('run_sql', { source: 'default', sql })) as { result: string[][] };
  return result[1]?.[0];
};
const versions = async (): Promise<Record<string, boolean>> => {
  const names = await readdir(join(ROOT, 'migrations', 'default'));
  return Object.fromEntries(names.map((name) => [name.split('_')[0] ?? '', false]));
};

test('a dry run tells what would be done, and does nothing', async () => {
  const before = [await recorded(), await exported()];
  const lines: string[] = [];
  const { migrations } = await applyProject(api, project, {
    dryRun: true,
    report: (line) => lines.push(line),
  });
  expect(migrations.length).toBeGreaterThan(0);
  expect(lines[0]).toMatch(/^would run migration default\/\d+_identity$/);
  expect([await recorded(), await exported()]).toEqual(before);
});

test('the first run applies everything, and records it as the hasura CLI does', async () => {
  const { migrations, inconsistent } = await applyProject(api, project);
  expect(migrations.map(({ version }) => version)).toEqual(Object.keys(await versions()));
  expect(inconsistent).toEqual([]);
  expect(await recorded()).toEqual({
    migrations: { default: await versions() },
    settings: { migration_mode: 'true' },
    isStateCopyCompleted: true,
    latchkey: {
      metadata: {
        'default/1767225600000_identity': expect.objectContaining({ 'action syncMe': expect.any(String) }),
      },
      migrations: {
        default: Object.fromEntries(Object.keys(await versions()).map((one) => [one, expect.any(String)])),
      },
    },
  });
});

test('a second run changes nothing', async () => {
  const before = [await recorded(), await exported()];
  const { migrations } = await applyProject(api, project);
  expect(migrations).toEqual([]);
  expect([await recorded(), await exported()]).toEqual(before);
});

test('migrations that were undone under metadata that still name their tables are run again', async () => {
  const path = join(project.migrationsDirectory, 'default');
  for (const name of (await readdir(path)).sort().reverse()) {
    const sql = await readFile(join(path, name, 'down.sql'), 'utf8');
    // As hasura migrate apply --down all.
    await api.query('run_sql', { source: 'default', sql, check_metadata_consistency: false });
  }
  const state = { settings: { migration_mode: 'true' }, migrations: {}, isStateCopyCompleted: true };
  await api.metadata('set_catalog_state', { type: 'cli', state });
  const before = await exported();

  const { inconsistent } = await applyProject(api, project);
  expect(inconsistent).toEqual([]);
  expect(await recorded()).toMatchObject({ migrations: { default: await versions() } });
  expect(await exported()).toEqual(before);
});

test('a migration that fails is undone as a whole, not recorded, and its reason is told', async () => {
  const undo = await addMigration('1999999999999_broken', 'create table half_done (a int); select 1 / 0;');
  await expect(applyProject(api, project)).rejects.toThrow(
    /default\/1999999999999_broken\/up.sql failed.*division by zero/,
  );
  expect(await count("select count(*) from pg_class where relname = 'half_done'")).toBe('0');
  expect(await recorded()).toMatchObject({ migrations: { default: await versions() } });
  await undo();
});

test('a migration that was cut off is left alone until an operator says what became of it', async () => {
  const version = '1999999999998';
  const undo = await addMigration(`${version}_cut_off`, 'create table cut_off (a int);');
  const state = (dirty: boolean, all: Record<string, boolean>) => ({
    type: 'cli',
    state: {
      settings: {},
      migrations: { default: { ...all, [version]: dirty } },
      isStateCopyCompleted: true,
    },
  });
  await api.metadata('set_catalog_state', state(true, await versions()));
  await expect(applyProject(api, project)).rejects.toThrow(/_cut_off took effect on default is not known/);
  expect(await count("select count(*) from pg_class where relname = 'cut_off'")).toBe('0');

  await applyProject(api, project, { settle: 'pending' });
  expect(await count("select count(*) from pg_class where relname = 'cut_off'")).toBe('1');
  expect(await recorded()).toMatchObject({ migrations: { default: { [version]: false } } });

  // Once more, but now it did take effect: running it again would fail.
  await api.metadata('set_catalog_state', state(true, await versions()));
  const { migrations } = await applyProject(api, project, { settle: 'applied' });
  expect(migrations).toEqual([]);
  expect(await recorded()).toMatchObject({ migrations: { default: { [version]: false } } });
  await undo();
});

test('metadata that do not fit the database are told by object and reason, and leave Hasura as it was', async () => {
  const file = join(project.metadataDirectory, 'databases', 'default', 'tables', 'tables.yaml');
  const tables = join(project.metadataDirectory, 'databases', 'default', 'tables', 'public_missing.yaml');
  await writeFile(tables, 'table:\n  name: missing\n  schema: public\n');
  const original = await readdir(join(ROOT, 'metadata', 'databases', 'default', 'tables'));
  const includes = [...original.filter((name) => name !== 'tables.yaml'), 'public_missing.yaml'];
  await writeFile(file, includes.map((name) => `- "!include ${name}"\n`).join(''));
  const before = await exported();

  const refused = await applyProject(api, project);
  expect(refused.inconsistent.join('\n')).toMatch(/missing/);
  expect(await exported()).toEqual(before);

  const allowed = await applyProject(api, project, { allowInconsistent: true });
  expect(allowed.inconsistent.join('\n')).toMatch(/missing/);
  expect(JSON.stringify(await exported())).toContain('"missing"');
});

test('a wrong admin secret is told as such', async () => {
  await expect(applyProject(createMetadataApi(engine.url, 'wrong'), project)).rejects.toThrow(
    /refuses the admin secret .*set HASURA_GRAPHQL_ADMIN_SECRET/,
  );
  await expect(applyProject(createMetadataApi(engine.url, undefined), project)).rejects.toThrow(
    /asks for an admin secret, and none was given/,
  );
});
