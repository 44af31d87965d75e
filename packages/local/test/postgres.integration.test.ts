import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createDatabase } from '@latchkey/tests/support/postgres';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPostgres } from '#postgres/postgres.ts';
import { isAlive } from '#processes/processes.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
  // The server may run as another user than the tests do.
  await chmod(folder, 0o755);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows;
  } finally {
    await client.end();
  }
}

async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

test('data and password outlive a run, and the password file is for its owner only', async () => {
  const directory = join(folder, 'kept', 'postgres');
  const first = await startPostgres({ directory });
  await ask(first.url, "create table t as select 'kept' as a");
  await first.close();
  expect(isAlive(first.child.pid)).toBe(false);

  const second = await startPostgres({ directory });
  try {
    expect(await ask(second.url, 'select a from t')).toEqual([{ a: 'kept' }]);
    expect(new URL(second.url).password).toBe(new URL(first.url).password);
    expect((await stat(`${directory}.password`)).mode & 0o777).toBe(0o600);
  } finally {
    await second.close();
  }
});

test('a wrong password is refused, and only the loopback address is listened on', async () => {
  const server = await startPostgres();
  try {
    const wrong = Object.assign(new URL(server.url), { password: 'wrong' }).href;
    await expect(ask(wrong, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    expect(await ask(server.url, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
  } finally {
    await server.close();
  }
});

test('kept data are written durably, throw-away data are not and are gone with the server', async () => {
  const kept = await startPostgres({ directory: join(folder, 'durable') });
  const thrownAway = await startPostgres();
  try {
    expect(await ask(kept.url, 'show fsync')).toEqual([{ fsync: 'on' }]);
    expect(await ask(thrownAway.url, 'show fsync')).toEqual([{ fsync: 'off' }]);
    await thrownAway.close();
    await expect(stat(dirname(thrownAway.directory))).rejects.toMatchObject({ code: 'ENOENT' });
  } finally {
    await kept.close();
    await thrownAway.close();
  }
});

test('a second start on the same data is refused with what to do', async () => {
  const directory = join(folder, 'twice');
  const server = await startPostgres({ directory });
  try {
    await expect(startPostgres({ directory })).rejects.toThrow(
      /running on .* already: stop the other run first/,
    );
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  } finally {
    await server.close();
  }
});

test('a process id file that a killed run left, now of another program, is no hindrance', async () => {
  const directory = join(folder, 'stale');
  await (await startPostgres({ directory })).close();
  await writeFile(join(directory, 'postmaster.pid'), `${process.pid}\n${directory}\n0\n1\n\n\n\nready\n`);
  const server = await startPostgres({ directory });
  expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  await server.close();
});

test('data whose password is lost are not thrown away', async () => {
  const directory = join(folder, 'forgotten');
  await (await startPostgres({ directory })).close();
  await rm(`${directory}.password`);
  await expect(startPostgres({ directory })).rejects.toThrow(
    /password in .* is gone: bring it back, or remove/,
  );
  expect((await readFile(join(directory, 'PG_VERSION'), 'utf8')).trim()).not.toBe('');
});

test.runIf(process.getuid?.() === 0)(
  'data wanted below a folder closed to others are kept in another one, and the operator is told',
  async () => {
    const closed = join(folder, 'closed');
    await mkdir(closed, { mode: 0o700 });
    const server = await startPostgres({ directory: join(closed, 'postgres') });
    try {
      expect(server.directory.startsWith(closed)).toBe(false);
      expect(server.notes).toEqual([expect.stringContaining(`data are in ${server.directory}`)]);
      expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    } finally {
      await server.close();
      await rm(dirname(server.directory), { recursive: true, force: true });
    }
  },
);

test('a port that is taken is named', async () => {
  const server = await startPostgres();
  try {
    await expect(startPostgres({ port: server.port })).rejects.toThrow(`Port ${server.port} is taken`);
  } finally {
    await server.close();
  }
});

test('the server ends when the process that started it is killed, and the next start takes the data over', async () => {
  const directory = join(folder, 'orphan');
  const script = join(folder, 'parent.ts');
  const module = new URL('../src/postgres/postgres.ts', import.meta.url).href;
  await writeFile(
    script,
    `import { startPostgres } from ${JSON.stringify(module)};
     const server = await startPostgres({ directory: ${JSON.stringify(directory)} });
     console.log(server.child.pid);
     setInterval(() => {}, 1000);`,
  );
  const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output] = await once(parent.stdout, 'data');
  const pid = Number(String(output));
  expect(isAlive(pid)).toBe(true);

  parent.kill('SIGKILL');
  const server = await startPostgres({ directory });
  expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  await eventually(() => !isAlive(pid));
  await server.close();
});

test('each test file gets a database of its own, which is dropped when closed', async () => {
  const one = await createDatabase();
  const other = await createDatabase();
  await one.query('create table t (a int); insert into t values (1)');
  expect(await one.query('select a from t where a = $1', [1])).toEqual([{ a: 1 }]);
  expect(await other.query("select to_regclass('t') as t")).toEqual([{ t: null }]);
  await one.close();
  const names = await other.query('select datname from pg_database');
  expect(names).not.toContainEqual({ datname: new URL(one.url).pathname.slice(1) });
  await other.close();
});
