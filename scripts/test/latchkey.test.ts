import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '..', '..');
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
    allowed_skew: 5,
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

  test('behind a proxy takes the issuer with its path', () => {
    const { status, stdout } = latchkey(['jwt-secret', '--frontend-api', 'https://app.example.com/__clerk']);
    expect([status, JSON.parse(stdout)]).toEqual([
      0,
      {
        jwk_url: 'https://app.example.com/__clerk/.well-known/jwks.json',
        issuer: 'https://app.example.com/__clerk',
        allowed_skew: 5,
      },
    ]);
  });

  test('of several issuers says which Hasura itself trusts, and what the others need', () => {
    const env = { CLERK_PUBLISHABLE_KEY: KEY, CLERK_ISSUERS: 'https://clerk.satellite.example' };
    const plain = latchkey(['jwt-secret'], env);
    expect(plain.stderr).toContain('Hasura will trust tokens of https://clerk.example.com. In');
    expect(plain.stderr).toMatch(/Tokens of https:\/\/clerk\.satellite\.example .*jwt-secret --strict/);
    const strict = latchkey(['jwt-secret', '--strict'], env);
    expect(strict.stderr).toContain(
      'Hasura will trust tokens of https://clerk.example.com, https://clerk.satellite.example. In',
    );
    expect(strict.stderr).not.toContain('jwt-secret --strict');
  });

  describe('--write', () => {
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
        stderr: oneLine(
          /latchkey jwt-secret: .*written\.env cannot be written \(\w+\): give --write a file .*/,
        ),
      });
      expect(write('--publishable-key', KEY, '--json')).toMatchObject({
        status: 2,
        stderr: oneLine(/.*Give one of --write, --env and --json.*/),
      });
    });
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
      const { HASURA_GRAPHQL_JWT_SECRETS = '', ...others } = settings(
        ...['--edition', edition, '--provider', 'clerk,cognito'],
      );
      expect(others).toEqual({});
      expect(JSON.parse(HASURA_GRAPHQL_JWT_SECRETS)).toEqual([
        SECRET,
        {
          jwk_url: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE12/.well-known/jwks.json',
          issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE12',
          audience: ['1example23456789abcdefghij'],
          allowed_skew: 5,
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
        ...['jwt-secret', '--edition', 'ee', '--provider', 'clerk', '--provider', 'cognito'],
        ...['--frontend-api', 'https://clerk.example.com'],
        ...['--cognito-pool', 'eu-west-1_EXAMPLE12', '--cognito-client', 'c'],
      ]);
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject([
        { issuer: 'https://clerk.example.com' },
        { audience: ['c'] },
      ]);
      const casdoor = latchkey([
        ...['jwt-secret', '--provider', 'casdoor', '--casdoor-organization', 'acme'],
        ...['--casdoor-issuer', 'https://door.example.com', '--casdoor-client', 'a,b'],
        ...['--service-url', 'http://10.0.0.7:8081/'],
      ]);
      expect(casdoor.status).toBe(0);
      expect(JSON.parse(casdoor.stdout)).toMatchObject({
        audience: ['a', 'b'],
        jwk_url: 'http://10.0.0.7:8081/jwks/casdoor',
        claims_map: {
          'x-hasura-identity-provider': 'casdoor',
          'x-hasura-identity-tenant': { path: '$.owner' },
        },
      });
    });

    test.each<[string, string[], Record<string, string>, RegExp]>([
      ['all of Casdoor’s organizations', ['--provider', 'casdoor'], {}, /CASDOOR_ORGANIZATIONS is empty/],
      [
        'several of them',
        ['--provider', 'casdoor'],
        { CASDOOR_ORGANIZATIONS: 'acme,beta' },
        /CASDOOR_ORGANIZATIONS names several/,
      ],
      [
        'a shared application',
        ['--provider', 'casdoor'],
        { CASDOOR_ORGANIZATIONS: 'acme', CASDOOR_AUDIENCE: '0123-org-acme' },
        /shared application/,
      ],
      [
        'a list with Casdoor in it',
        ['--edition', 'ee', '--provider', 'casdoor,clerk'],
        { CASDOOR_ORGANIZATIONS: 'acme' },
        /ids of their users, those of clerk too/,
      ],
      [
        'a list with Casdoor in it, on Cloud',
        ['--edition', 'cloud'],
        { CASDOOR_ORGANIZATIONS: 'acme' },
        /those of clerk and cognito too/,
      ],
      [
        'several user pools',
        ['--provider', 'cognito'],
        { COGNITO_USER_POOL_ID: 'eu-west-1_EXAMPLE12,eu-west-1_EXAMPLE34' },
        /several pools/,
      ],
    ])(
      'Hasura by itself would mix up %s: that is refused, but strictly it is not',
      (_what, args, more, why) => {
        for (const form of [[], ['--env'], ['--json']]) {
          const refused = latchkey(['jwt-secret', ...form, ...args], { ...ALL, ...more });
          expect(refused).toMatchObject({
            status: 2,
            stdout: '',
            stderr: oneLine(new RegExp(`.*${why.source}.*`)),
          });
          expect(refused.stderr).toContain('npx latchkey jwt-secret --strict');
        }
        const strict = latchkey(['jwt-secret', '--json', '--strict', ...args], { ...ALL, ...more });
        expect([strict.status, JSON.parse(strict.stdout)]).toEqual([0, HOOK]);
      },
    );

    test('one organization of Casdoor is one setting, with the listed claims', () => {
      const { status, stdout } = latchkey(['jwt-secret', '--provider', 'casdoor'], {
        ...ALL,
        CASDOOR_ORGANIZATIONS: 'acme',
        LATCHKEY_CLAIMS: 'plan',
      });
      expect([status, JSON.parse(stdout)]).toEqual([
        0,
        {
          jwk_url: 'http://identity:8081/jwks/casdoor',
          issuer: 'https://door.example.com',
          audience: ['0123456789abcdef0123'],
          allowed_skew: 5,
          claims_map: {
            'x-hasura-allowed-roles': ['user'],
            'x-hasura-default-role': 'user',
            'x-hasura-user-id': { path: '$.sub' },
            'x-hasura-identity-provider': 'casdoor',
            'x-hasura-identity-tenant': { path: '$.owner' },
            'x-hasura-plan': { path: "$.properties['plan']", default: '' },
          },
        },
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
      stderr: oneLine(/.*CLERK_FRONTEND_API_URL must be where Clerk’s Frontend API is, such as .*/),
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
