import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { environmentWithDotEnv } from '@latchkey/scripts/environment';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { serve } from '../support/http.ts';

const root = resolve(import.meta.dirname, '../..');
const PAGES = globSync(
  ['README.md', '.env.example', 'docker-compose.yml', 'docs/*.md', 'examples/*/*.md', 'packages/*/*.md'],
  { cwd: root },
);
const read = (path: string) => readFileSync(join(root, path), 'utf8');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

describe('what people are told to paste', () => {
  test.each(PAGES)('%s puts no secret on a command line, and makes no .env that others can read', (page) => {
    const told = read(page);
    expect(told).not.toMatch(/--admin-secret/);
    expect(told).not.toMatch(/(-H|--header)\s+["']x-hasura-(admin-secret|access-key)/i);
    // In the compose file these are no words of a shell.
    const words = page.endsWith('.yml') ? '' : told;
    expect(words).not.toMatch(
      /\$\{?(HASURA|POSTGRES|CLERK|CASDOOR|COGNITO|LATCHKEY)_\w*(SECRET|PASSWORD|KEY)\b/,
    );
    expect(told).not.toMatch(/\bcp (\S+ )*\.env\.example/);
    expect(told).not.toMatch(/--environment\s+["']?(\$[A-Z1-9]|\{)/);
  });

  test.each(['docs/clerk.md', 'docs/casdoor.md'])(
    '%s: its query sends the admin secret of .env, and no process shows it',
    async (page) => {
      const asked: string[] = [];
      const server = await serve(async (request, response) => {
        asked.push(String(request.headers['x-hasura-admin-secret']), await text(request));
        response.end('{"data":{}}');
      });
      const command = /\$ (sed [^`]+?identity_deliveries[^`]+?)\n```/.exec(read(page))?.[1] ?? '';
      await writeFile(join(folder, '.env'), 'POSTGRES_PASSWORD=a\nHASURA_GRAPHQL_ADMIN_SECRET=hunter2\n');
      const shell = execFile('sh', ['-c', command.replace('localhost:8080', server.url)], { cwd: folder });
      expect(await once(shell, 'exit')).toEqual([0, null]);
      await server.close();
      expect(asked[0]).toBe('hunter2');
      expect(JSON.parse(asked[1] ?? '').query).toContain('identity_deliveries');
    },
  );

  test('the .env they make, and append to, stays theirs alone', async () => {
    await writeFile(join(folder, '.env.example'), read('.env.example'));
    const [line = ''] = /^\$ (install .*\.env)(?=\s)/m.exec(read('README.md'))?.slice(1) ?? [];
    spawnSync('sh', ['-c', `umask 022; ${line} && echo A=1 >> .env`], { cwd: folder });
    expect((await stat(join(folder, '.env'))).mode & 0o777).toBe(0o600);
  });
});

describe('commands that read .env', () => {
  test('warn once, on standard error, where other users can read it', async () => {
    const warn = vi.spyOn(console, 'error').mockImplementation(() => {});
    const file = join(folder, '.env');
    await writeFile(file, 'HASURA_GRAPHQL_ADMIN_SECRET=hunter2\n');
    for (const [mode, lines] of [
      [0o600, 0],
      [0o644, 1],
      [0o644, 1],
    ] as const) {
      await chmod(file, mode);
      expect(environmentWithDotEnv(file).HASURA_GRAPHQL_ADMIN_SECRET).toBe('hunter2');
      expect(warn).toHaveBeenCalledTimes(lines);
    }
    expect(String(warn.mock.calls)).toMatch(/chmod 600/);
    expect(String(warn.mock.calls)).not.toContain('hunter2');
  });
});
