import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const PROGRAM = join(ROOT, 'scripts', 'latchkey.js');

let folder: string;
/** Makes a Node believe that it is an older one. */
let oldNode: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
  oldNode = join(folder, 'old-node.cjs');
  await writeFile(
    oldNode,
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.19.0' } });",
  );
});
afterAll(() => rm(folder, { recursive: true }));

function latchkey(args: string[], env: Record<string, string> = {}, program = [PROGRAM]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...program, ...args], {
    encoding: 'utf8',
    cwd: folder,
    env: { PATH: process.env.PATH, HASURA_GRAPHQL_ENDPOINT: 'http://127.0.0.1:9', ...env },
  });
  return { status, stdout, stderr };
}

const oneLine = (pattern: RegExp) => expect.stringMatching(new RegExp(`^${pattern.source}\\n$`));

test('without a command, and when asked, the commands are listed', () => {
  expect(latchkey([])).toMatchObject({ status: 2, stderr: expect.stringContaining('jwt-secret') });
  const { status, stdout } = latchkey(['--help']);
  expect(status).toBe(0);
  for (const name of ['start', 'demo', 'jwt-secret', 'apply'])
    expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
});

test.each(['start', 'demo', 'jwt-secret', 'apply'])('%s --help tells its options', (name) => {
  const { status, stdout, stderr } = latchkey([name, '--help']);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain(`latchkey ${name} [options]`);
  expect(stdout).toContain('--help');
});

test('what is not known is refused in one line', () => {
  expect(latchkey(['aply'])).toMatchObject({
    status: 2,
    stderr: oneLine(/latchkey: unknown command aply; .*--help.*/),
  });
  expect(latchkey(['--verbose'])).toMatchObject({
    status: 2,
    stderr: oneLine(/latchkey: unknown option --verbose; .*/),
  });
  expect(latchkey(['apply', '--force'])).toMatchObject({
    status: 2,
    stderr: oneLine(/latchkey apply: Unknown option '--force'; latchkey apply --help .*/),
  });
  expect(latchkey(['apply', 'everything'])).toMatchObject({
    status: 2,
    stderr: oneLine(/latchkey apply: .*everything.*/),
  });
  expect(latchkey(['apply', '--endpoint'])).toMatchObject({
    status: 2,
    stderr: oneLine(/latchkey apply: .*endpoint.*/),
  });
});

describe('on an older Node', () => {
  test('the Node that npm installed takes over, with its output and exit code', () => {
    const program = ['--require', oldNode, PROGRAM];
    expect(latchkey(['aply'], {}, program)).toMatchObject({
      status: 2,
      stderr: oneLine(/latchkey: unknown command .*/),
    });
    expect(latchkey(['--help'], {}, program)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('Commands:'),
    });
  });

  test('where npm installed none, one line says what to do', async () => {
    await mkdir(join(folder, 'bare'));
    const bare = join(folder, 'bare', 'latchkey.mjs');
    await copyFile(PROGRAM, bare);
    expect(latchkey(['--help'], {}, ['--require', oldNode, bare])).toMatchObject({
      status: 2,
      stderr: oneLine(/latchkey: needs Node 24, and this is 20\.19\.0: run npm ci .*/),
    });
  });
});

describe('jwt-secret', () => {
  const KEY = `pk_test_${Buffer.from('clerk.example.com$').toString('base64')}`;
  const SECRET = {
    jwk_url: 'https://clerk.example.com/.well-known/jwks.json',
    issuer: 'https://clerk.example.com',
  };

  test('makes the setting of the publishable key, of the Frontend API URL, or of the environment', () => {
    const calls = [
      latchkey(['jwt-secret', '--publishable-key', KEY]),
      latchkey(['jwt-secret', '--frontend-api', 'https://clerk.example.com/']),
      latchkey(['jwt-secret'], { CLERK_PUBLISHABLE_KEY: KEY }),
      latchkey(['jwt-secret'], { CLERK_FRONTEND_API_URL: 'https://clerk.example.com' }),
    ];
    for (const { status, stdout } of calls) expect([status, JSON.parse(stdout)]).toEqual([0, SECRET]);
  });

  test('makes a line for .env that a shell and Node read alike', async () => {
    const { stdout } = latchkey(['jwt-secret', '--env', '--publishable-key', KEY]);
    expect(JSON.parse(parseEnv(stdout).HASURA_GRAPHQL_JWT_SECRET ?? '')).toEqual(SECRET);
    const file = join(folder, '.env');
    await writeFile(file, stdout);
    const shell = spawnSync('sh', ['-c', '. "$1"; printf %s "$HASURA_GRAPHQL_JWT_SECRET"', 'sh', file], {
      encoding: 'utf8',
    });
    expect(JSON.parse(shell.stdout)).toEqual(SECRET);
  });

  test('tells what to paste into Clerk’s dashboard beside the setting, not in it', () => {
    const { stderr } = latchkey(['jwt-secret', '--publishable-key', KEY]);
    expect(stderr).toContain('JWT templates');
    expect(stderr).toContain(`"x-hasura-org-id": "{{org.id || ''}}"`);
    expect(stderr).toContain('/webhooks/clerk');
    expect(latchkey(['jwt-secret', '--quiet', '--publishable-key', KEY]).stderr).toBe('');
  });

  test('names what is missing or wrong', () => {
    expect(latchkey(['jwt-secret'])).toMatchObject({
      status: 2,
      stderr: oneLine(/.*CLERK_PUBLISHABLE_KEY is missing.*/),
    });
    expect(latchkey(['jwt-secret', '--publishable-key', 'pk_test_nonsense'])).toMatchObject({
      status: 2,
      stderr: oneLine(/.*is not a publishable key.*/),
    });
    expect(latchkey(['jwt-secret', '--frontend-api', 'ftp://clerk.example.com'])).toMatchObject({
      status: 2,
      stderr: oneLine(/.*is not a Frontend API URL.*/),
    });
  });
});

describe('apply', () => {
  test('tells in one line that Hasura does not answer', () => {
    expect(latchkey(['apply'])).toMatchObject({
      status: 3,
      stderr: oneLine(/latchkey apply: Hasura at http:\/\/127\.0\.0\.1:9 does not answer .*--endpoint\./),
    });
  });

  test('names a wrong setting', () => {
    expect(latchkey(['apply', '--endpoint', 'hasura'])).toMatchObject({
      status: 2,
      stderr: oneLine(/.*"hasura" is no address.*/),
    });
    expect(latchkey(['apply', '--settle', 'maybe'])).toMatchObject({
      status: 2,
      stderr: oneLine(/.*applied or pending, not maybe.*/),
    });
    expect(latchkey(['apply', '--project', folder])).toMatchObject({
      status: 2,
      stderr: oneLine(/.*config\.yaml cannot be read.*/),
    });
  });
});

test('start names a port that is none', () => {
  expect(latchkey(['start', '--engine-port', 'eighty'])).toMatchObject({
    status: 2,
    stderr: oneLine(
      /latchkey start: --engine-port \(or LATCHKEY_ENGINE_PORT\) must be a port .*not eighty\./,
    ),
  });
});
