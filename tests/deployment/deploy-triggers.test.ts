import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TRIGGERS } from '@latchkey/cognito-triggers/build';
import { awsCli } from '@latchkey/scripts/deploy-triggers/aws-cli';
import { deployTriggers } from '@latchkey/scripts/deploy-triggers/deploy';
import { readDeploySettings } from '@latchkey/scripts/deploy-triggers/settings';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { POOL, SECRET } from '../support/cognito.ts';

// A program called aws that writes down how it was called, and knows which functions and roles there are.

const SECOND = 'eu-west-1_Second9';
const STAND_IN = `#!${process.execPath}
const { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } = require('node:fs');
const folder = __dirname;
const args = process.argv.slice(2);
const value = (flag) => args[args.indexOf(flag) + 1];
const file = value('--environment')?.replace('file://', '');
const call = { args, ...(args.includes('--environment') && { environment: JSON.parse(readFileSync(file, 'utf8')), mode: statSync(file).mode & 0o777 }),
  ...(args.includes('--policy-document') && { policy: JSON.parse(readFileSync(value('--policy-document').replace('file://', ''), 'utf8')) }) };
appendFileSync(folder + '/calls', JSON.stringify(call) + '\\n');
const fail = (code, text = code) => { console.error('An error occurred (' + code + ') when calling the Operation: ' + text); process.exit(254); };
const once = (name) => { const is = existsSync(folder + '/' + name); writeFileSync(folder + '/' + name, ''); return !is; };
switch (args.slice(0, 2).join(' ')) {
  case 'sts get-caller-identity': console.log('123456789012'); break;
  case 'iam create-role': if (!once('role-' + value('--role-name'))) fail('EntityAlreadyExists'); break;
  case 'logs create-log-group': if (!once('log-' + value('--log-group-name').replaceAll('/', '-'))) fail('ResourceAlreadyExistsException'); break;
  case 'lambda get-function': if (!existsSync(folder + '/function-' + value('--function-name'))) fail('ResourceNotFoundException'); break;
  case 'lambda create-function':
    if (once('too-early')) fail('InvalidParameterValueException', 'The role defined for the function cannot be assumed by Lambda.');
    once('function-' + value('--function-name')); break;
  case 'lambda add-permission': if (!once('permission-' + value('--function-name') + value('--statement-id'))) fail('ResourceConflictException'); break;
  case 'events put-rule': if (existsSync(folder + '/refuse')) fail('AccessDeniedException', 'you may not'); break;
}
`;
const CALL = z.object({
  args: z.array(z.string()),
  environment: z.object({ Variables: z.record(z.string(), z.string()) }).optional(),
  mode: z.number().optional(),
  policy: z.unknown().optional(),
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-aws-'));
  await writeFile(join(folder, 'aws'), STAND_IN);
  await chmod(join(folder, 'aws'), 0o700);
  await writeFile(join(folder, 'package.json'), '{"type":"commonjs"}');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const SETTINGS = {
  COGNITO_USER_POOL_ID: `${POOL},${SECOND}`,
  COGNITO_WEBHOOK_SECRET: SECRET,
  LATCHKEY_WEBHOOK_URL: 'https://identity.example.com/webhooks/cognito',
  LATCHKEY_ALLOWED_ROLES: 'editor,viewer',
};

async function deploy(environment: Record<string, string> = {}) {
  const told: string[] = [];
  const settings = readDeploySettings({ ...SETTINGS, ...environment });
  const aws = awsCli(settings.region, { PATH: `${folder}:${process.env.PATH}` });
  const policy = await deployTriggers(aws, settings, { tell: (line) => told.push(line), roleWaitMs: 1 });
  const lines = (await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n');
  await rm(join(folder, 'calls'));
  const calls = lines.map((line) => CALL.parse(JSON.parse(line)));
  return { told, policy, calls, names: calls.map(({ args }) => args.slice(0, 2).join(' ')) };
}

test('makes every function with its variables, which are on no command line', async () => {
  const { calls, names, told } = await deploy();
  const created = calls.filter((_, index) => names[index] === 'lambda create-function');
  const byName = new Map(created.map((call) => [call.args[call.args.indexOf('--function-name') + 1], call]));
  expect([...byName.keys()]).toEqual(TRIGGERS.map((name) => `latchkey-${name}`));
  expect(byName.get('latchkey-pre-token-generation')?.environment).toEqual({
    Variables: { LATCHKEY_ALLOWED_ROLES: 'editor,viewer' },
  });
  for (const name of ['latchkey-forward-sign-in', 'latchkey-forward-event']) {
    expect(byName.get(name)?.environment?.Variables).toEqual({
      LATCHKEY_WEBHOOK_URL: SETTINGS.LATCHKEY_WEBHOOK_URL,
      COGNITO_WEBHOOK_SECRET: SECRET,
    });
    expect(byName.get(name)?.mode).toBe(0o600);
  }
  expect(JSON.stringify(calls.map(({ args }) => args))).not.toContain(SECRET);
  expect(told.join('\n')).not.toContain(SECRET);
}, 30_000);

test('waits for a role that AWS does not know everywhere yet', async () => {
  const { names, told } = await deploy();
  expect(names.filter((name) => name === 'lambda create-function')).toHaveLength(4);
  expect(told.join('\n')).toContain('the new role is not known to Lambda yet');
}, 30_000);

test('run again, it brings code and settings of all functions up to date, and waits in between', async () => {
  await deploy();
  const { names } = await deploy({ LATCHKEY_CLAIMS: 'plan' });
  expect(names).not.toContain('lambda create-function');
  const updates = names.filter((name) => name.startsWith('lambda update') || name === 'lambda wait');
  const each = [
    'lambda update-function-code',
    'lambda wait',
    'lambda update-function-configuration',
    'lambda wait',
    'lambda wait',
  ];
  expect(updates).toEqual([...each, ...each, ...each]);
}, 30_000);

test('every pool may invoke its functions, and the service read every pool', async () => {
  const { calls, policy } = await deploy({ LATCHKEY_SERVICE_ROLE: 'identity' });
  const pools = [POOL, SECOND].map((pool) => `arn:aws:cognito-idp:eu-west-1:123456789012:userpool/${pool}`);
  for (const name of ['latchkey-pre-token-generation', 'latchkey-forward-sign-in']) {
    const sources = calls
      .filter(({ args }) => args[1] === 'add-permission' && args.includes(name))
      .map(({ args }) => args[args.indexOf('--source-arn') + 1]);
    expect(sources).toEqual(pools);
  }
  const given = calls.find(({ args }) => args.includes('identity'))?.policy;
  expect(JSON.parse(await readFile(policy, 'utf8'))).toEqual(given);
  const { Statement } = z
    .object({ Statement: z.array(z.object({ Resource: z.array(z.string()) })) })
    .parse(given);
  for (const { Resource } of Statement) expect(Resource).toEqual(pools);
  expect(JSON.stringify(calls.map((call) => call.policy))).not.toMatch(
    /<(?:region|account-id|user-pool-id)>/,
  );
}, 30_000);

test('what AWS refuses is told, with the call that it refused', async () => {
  await writeFile(join(folder, 'refuse'), '');
  await expect(deploy()).rejects.toThrow(/aws events put-rule failed: .*AccessDeniedException.*you may not/);
}, 30_000);

describe('settings', () => {
  test.each<[string, Record<string, string>, RegExp]>([
    ['no pool', { COGNITO_USER_POOL_ID: '' }, /COGNITO_USER_POOL_ID is missing/],
    [
      'pools of two regions',
      { COGNITO_USER_POOL_ID: `${POOL},us-east-1_Other9` },
      /run this once for each region/,
    ],
    [
      'the role admin',
      { LATCHKEY_ALLOWED_ROLES: 'admin' },
      /LATCHKEY_ALLOWED_ROLES must not hold the role admin/,
    ],
    ['a query without Hasura', { LATCHKEY_ROLES_QUERY: 'query { x }' }, /LATCHKEY_ROLES_QUERY also needs/],
    ['another secret', { COGNITO_WEBHOOK_SECRET: 'hunter2' }, /COGNITO_WEBHOOK_SECRET must be whsec_/],
  ])('%s: refused before anything is made', (_, changes, message) => {
    expect(() => readDeploySettings({ ...SETTINGS, ...changes })).toThrow(
      expect.objectContaining({ code: 'configuration-invalid', message: expect.stringMatching(message) }),
    );
  });

  test('Hasura’s admin secret is given to the function only where it has a query to ask', () => {
    const hasura = {
      HASURA_GRAPHQL_ENDPOINT: 'https://hasura.example.com',
      HASURA_GRAPHQL_ADMIN_SECRET: 'x',
    };
    const without = readDeploySettings({ ...SETTINGS, ...hasura }).variables;
    expect(JSON.stringify(without)).not.toContain('HASURA_GRAPHQL_ADMIN_SECRET');
    const query = { ...hasura, LATCHKEY_ROLES_QUERY: 'query ($id: String!) { x }' };
    expect(readDeploySettings({ ...SETTINGS, ...query }).variables['pre-token-generation']).toMatchObject(
      hasura,
    );
  });

  test('without the AWS CLI the command says so', async () => {
    const program = join(import.meta.dirname, '../../scripts/deploy-triggers.ts');
    const run = promisify(execFile)(process.execPath, [program], {
      env: { ...SETTINGS, PATH: `${folder}x` },
    });
    await expect(run).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/The AWS CLI is not there/),
    });
  });
});
