import { copyFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { folder, latchkey, oneLine, ROOT } from '../support/run-latchkey.ts';
import { KEY, SECRET } from './clerk.ts';

const OTHER = `pk_test_${Buffer.from('clerk.other.example$').toString('base64')}`;
const HOOK = "HASURA_GRAPHQL_AUTH_HOOK='http://127.0.0.1:8081/auth/hook'";
const file = () => join(folder, 'written.env');
const write = (...args: string[]) => latchkey(['jwt-secret', '--write', file(), ...args]);
const secretLine = (host: string) =>
  `HASURA_GRAPHQL_JWT_SECRET='${JSON.stringify({
    ...SECRET,
    jwk_url: `https://${host}/.well-known/jwks.json`,
    issuer: `https://${host}`,
  })}'`;
afterEach(() => rm(file(), { force: true, recursive: true }));

test('puts the setting in place of the one that is there, again and again, for the owner alone', async () => {
  const before = '# mine\nPOSTGRES_PASSWORD=x\n';
  const after = "\n# the end\nCLERK_SECRET_KEY='sk_test_1'\n";
  await writeFile(file(), `${before}HASURA_GRAPHQL_JWT_SECRET='{"old":1}'${after}`, { mode: 0o644 });
  for (const key of [KEY, KEY, OTHER]) {
    expect(write('--publishable-key', key)).toMatchObject({
      status: 0,
      stdout: '',
      stderr: expect.stringContaining(`HASURA_GRAPHQL_JWT_SECRET of Hasura is in ${file()} now`),
    });
  }
  expect(await readFile(file(), 'utf8')).toBe(`${before}${secretLine('clerk.other.example')}${after}`);
  expect((await stat(file())).mode & 0o777).toBe(0o600);
});

test('takes out every line of the other kind, doubled, exported or over several lines', async () => {
  await writeFile(
    file(),
    [
      'export HASURA_GRAPHQL_AUTH_HOOK=http://old/auth/hook',
      'HASURA_GRAPHQL_AUTH_HOOK_MODE=GET',
      'A=1',
      "HASURA_GRAPHQL_JWT_SECRET='{",
      '  "issuer": "https://old" }',
      "'",
      'HASURA_GRAPHQL_JWT_SECRETS=[]',
      '  HASURA_GRAPHQL_JWT_SECRET = twice',
      'NOT_HASURA_GRAPHQL_JWT_SECRET=2',
    ].join('\n'),
  );
  expect(write('--publishable-key', KEY).status).toBe(0);
  expect(await readFile(file(), 'utf8')).toBe(
    `${secretLine('clerk.example.com')}\nA=1\nNOT_HASURA_GRAPHQL_JWT_SECRET=2\n`,
  );
  expect(write('--publishable-key', KEY, '--strict').status).toBe(0);
  const text = await readFile(file(), 'utf8');
  expect(text).toContain(`${HOOK}\n`);
  expect(text).not.toContain("GRAPHQL_JWT_SECRET='");
});

test('makes the file where there is none, and goes behind the example of .env.example', async () => {
  expect(write('--publishable-key', KEY).status).toBe(0);
  expect(await readFile(file(), 'utf8')).toBe(`${secretLine('clerk.example.com')}\n`);
  expect((await stat(file())).mode & 0o777).toBe(0o600);

  await copyFile(join(ROOT, '.env.example'), file());
  expect(write('--publishable-key', KEY).status).toBe(0);
  const lines = (await readFile(file(), 'utf8')).split('\n');
  const at = lines.indexOf(secretLine('clerk.example.com'));
  expect(lines[at - 1]).toMatch(/^#HASURA_GRAPHQL_AUTH_HOOK_SEND_REQUEST_BODY=/);
  expect(lines.toSpliced(at, 1).join('\n')).toBe(await readFile(join(ROOT, '.env.example'), 'utf8'));
});

test('says what is in the way', async () => {
  await mkdir(file());
  expect(write('--publishable-key', KEY)).toMatchObject({
    status: 2,
    stderr: oneLine(/latchkey jwt-secret: .*written\.env cannot be written \(\w+\): give --write a file .*/),
  });
  expect(write('--publishable-key', KEY, '--json')).toMatchObject({
    status: 2,
    stderr: oneLine(/.*Give one of --write, --env and --json.*/),
  });
});
