import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';

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

  describe('of several providers, or strictly', () => {
    const ALL = {
      CLERK_FRONTEND_API_URL: 'https://clerk.example.com',
      CASDOOR_ENDPOINT: 'https://door.example.com',
      CASDOOR_CLIENT_ID: '0123456789abcdef0123',
      COGNITO_USER_POOL_ID: 'eu-west-1_EXAMPLE12',
      COGNITO_CLIENT_IDS: '1example23456789abcdefghij',
      LATCHKEY_SERVICE_URL: 'http://identity:8081',
    };
    const HOOK = {
      HASURA_GRAPHQL_AUTH_HOOK: 'http://identity:8081/auth/hook',
      HASURA_GRAPHQL_AUTH_HOOK_MODE: 'POST',
      HASURA_GRAPHQL_AUTH_HOOK_SEND_REQUEST_BODY: 'false',
    };
    const settings = (...args: string[]) => {
      const { status, stdout } = latchkey(['jwt-secret', '--json', ...args], ALL);
      expect(status).toBe(0);
      return z.record(z.string(), z.string()).parse(JSON.parse(stdout));
    };

    test('the Community Edition asks the identity service', () => {
      for (const args of [
        [],
        ['--edition', 'ce'],
        ['--provider', 'clerk,casdoor'],
        ['--provider', 'casdoor', '--strict'],
      ]) {
        expect(settings(...args)).toEqual(HOOK);
      }
      const { stdout } = latchkey(['jwt-secret', '--env'], ALL);
      expect(parseEnv(stdout)).toEqual(HOOK);
    });

    test.each(['ee', 'cloud'])('edition %s has a list, each with its issuer', (edition) => {
      const { HASURA_GRAPHQL_JWT_SECRETS = '', ...others } = settings('--edition', edition);
      expect(others).toEqual({});
      expect(JSON.parse(HASURA_GRAPHQL_JWT_SECRETS)).toEqual([
        SECRET,
        {
          jwk_url: 'http://identity:8081/jwks/casdoor',
          issuer: 'https://door.example.com',
          audience: ['0123456789abcdef0123'],
          claims_map: {
            'x-hasura-allowed-roles': ['user'],
            'x-hasura-default-role': 'user',
            'x-hasura-user-id': { path: '$.sub' },
          },
        },
        {
          jwk_url: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE12/.well-known/jwks.json',
          issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE12',
          audience: ['1example23456789abcdefghij'],
          claims_format: 'stringified_json',
        },
      ]);
      expect(settings('--edition', edition, '--strict')).toEqual(HOOK);
    });

    test.each(['ce', 'ee', 'cloud'])('one of them is one setting on edition %s', (edition) => {
      const one = settings('--edition', edition, '--provider', 'cognito');
      expect(Object.keys(one)).toEqual(['HASURA_GRAPHQL_JWT_SECRET']);
    });

    test('a provider can be named again and again, and all its settings be given as flags', () => {
      const { status, stdout } = latchkey([
        ...['jwt-secret', '--edition', 'ee', '--provider', 'casdoor', '--provider', 'cognito'],
        ...['--casdoor-issuer', 'https://door.example.com', '--casdoor-client', 'a,b'],
        ...['--cognito-pool', 'eu-west-1_EXAMPLE12', '--cognito-client', 'c'],
        ...['--service-url', 'http://10.0.0.7:8081/'],
      ]);
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject([
        { audience: ['a', 'b'], jwk_url: 'http://10.0.0.7:8081/jwks/casdoor' },
        { audience: ['c'] },
      ]);
    });

    test('tells beside it what to set, what to leave out, and what to paste at each provider', () => {
      const { stderr } = latchkey(['jwt-secret'], ALL);
      expect(stderr).toMatch(/leave out HASURA_GRAPHQL_JWT_SECRET and HASURA_GRAPHQL_JWT_SECRETS\./);
      expect(stderr).toContain('http://identity:8081; --service-url');
      for (const path of ['clerk', 'casdoor']) expect(stderr).toContain(`/webhooks/${path}`);
      expect(stderr).toContain('latchkey-pre-token-generation');
    });

    test('names what is not known or missing', () => {
      expect(latchkey(['jwt-secret', '--provider', 'okta'])).toMatchObject({
        status: 2,
        stderr: oneLine(/.*--provider takes clerk, casdoor, cognito, not okta\./),
      });
      expect(latchkey(['jwt-secret', '--edition', 'pro'], ALL)).toMatchObject({
        status: 2,
        stderr: oneLine(/.*--edition takes ce, ee, cloud, not pro\./),
      });
      expect(latchkey(['jwt-secret', '--provider', 'casdoor'])).toMatchObject({
        status: 2,
        stderr: oneLine(/.*CASDOOR_ENDPOINT is missing: .*/),
      });
      expect(latchkey(['jwt-secret', '--provider', 'cognito', '--cognito-pool', 'x'])).toMatchObject({
        status: 2,
        stderr: oneLine(/.*COGNITO_USER_POOL_ID must be .*/),
      });
    });
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

test('start names a provider that is none', () => {
  expect(latchkey(['start', '--providers', 'clerk,okta'])).toMatchObject({
    status: 2,
    stderr: oneLine(/latchkey start: --providers \(or LATCHKEY_PROVIDERS\) takes .*, not okta\./),
  });
});

test.each([
  ['LATCHKEY_DATABASE_URL', 'postgres://postgres@127.0.0.1:9/postgres'],
  ['LATCHKEY_DATABASE_URL', 'nonsense'],
  ['LATCHKEY_ENGINE', 'no-such-engine'],
])('demo tells in one line that %s=%s does not work', (variable, value) => {
  expect(latchkey(['demo'], { [variable]: value })).toMatchObject({
    status: 2,
    stderr: oneLine(new RegExp(`latchkey demo: ${variable} .+`)),
  });
});
