import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedProject, startEmbedded } from '@latchkey/tests/support/embedded';
import { latchkey } from '@latchkey/tests/support/latchkey';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');

let engine: EmbeddedProject;
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  engine = await startEmbedded({ bare: true });
  folder = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
  for (const part of ['hasura', 'metadata', 'migrations']) {
    await cp(join(ROOT, part), join(folder, part), { recursive: true });
  }
  env = {
    HASURA_GRAPHQL_ENDPOINT: engine.config.endpoint,
    HASURA_GRAPHQL_ADMIN_SECRET: engine.config.adminSecret,
  };
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

const run = (...args: string[]) => latchkey([...args, '--project', join(folder, 'hasura')], env);
const hasTable = async (): Promise<boolean> =>
  (await engine.database.query("select to_regclass('public.notes') as found"))[0]?.found !== null;

test('a migration is made, applied, undone and applied again', async () => {
  const made = await run('new', 'migration', 'notes');
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/default\/\d{13}_notes\n$/) });
  const [name = ''] = (await readdir(join(folder, 'migrations', 'default'))).filter((one) =>
    one.endsWith('_notes'),
  );
  const path = join(folder, 'migrations', 'default', name);
  await writeFile(join(path, 'up.sql'), 'create table public.notes (id int);');

  const applied = await run('apply', '--allow-inconsistent');
  expect(applied).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`ran migration default/${name}`),
  });
  expect(applied.stdout).toMatch(/^Hasura v\S+ at http:\/\/127\.0\.0\.1:\d+\n/);

  // Nothing undoes it yet.
  expect(await run('migrate', 'down')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/down\.sql is missing or empty/),
  });
  await writeFile(join(path, 'down.sql'), 'drop table public.notes; select 1 / 0;');
  expect(await run('migrate', 'down')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/down\.sql failed, and nothing of it was done: .*division by zero/),
  });
  expect(await hasTable()).toBe(true);

  await writeFile(join(path, 'down.sql'), 'drop table public.notes;');
  expect((await run('migrate', 'down', '--dry-run')).stdout).toContain(
    `would undo migration default/${name}`,
  );
  expect(await hasTable()).toBe(true);
  expect(await run('migrate', 'down')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`undid migration default/${name}`),
  });
  expect(await hasTable()).toBe(false);
  expect((await run('apply', '--allow-inconsistent')).stdout).toContain(`ran migration default/${name}`);
  expect(await hasTable()).toBe(true);
});

test('what is wrong is told in one line', async () => {
  expect(await run('new', 'migration', '../up')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^latchkey[^\n]*\.\.\/up[^\n]*\n$/),
  });
  expect(await run('migrate', 'down', '--steps', 'all')).toMatchObject({ code: 2 });
});
