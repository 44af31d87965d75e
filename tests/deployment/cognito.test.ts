import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import * as sdk from '@aws-sdk/client-cognito-identity-provider';
import { TRIGGERS } from '@latchkey/cognito-triggers/build';
import { readConfig, VARIABLES } from '@latchkey/identity/config/read-config';
import { readDeploySettings } from '@latchkey/scripts/deploy-triggers/settings';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

const oneOrMore = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const POLICY = z.strictObject({
  Version: z.literal('2012-10-17'),
  Statement: z.array(
    z.strictObject({
      Sid: z
        .string()
        .regex(/^[0-9A-Za-z]+$/)
        .optional(),
      Effect: z.literal('Allow'),
      Principal: z.strictObject({ Service: z.string() }).optional(),
      Action: oneOrMore,
      Resource: oneOrMore.optional(),
    }),
  ),
});
const policy = (name: string) => POLICY.parse(JSON.parse(read(`deploy/cognito/${name}.json`)));
const policies = ['service-policy', 'trigger-policy', 'event-policy'];
const docs = read('docs/cognito.md');

describe('policies', () => {
  test('the service may do what its code calls, and nothing else', () => {
    const code = globSync('services/identity/**/*.ts', { cwd: root }).map(read).join('\n');
    const called = [
      ...[...code.matchAll(/new sdk\.(\w+)Command\(/g)].map((match) => match[1]),
      ...[...code.matchAll(/sdk\.paginate(\w+)\(/g)].map((match) => match[1]),
    ];
    const allowed = policy('service-policy').Statement.flatMap(({ Action }) => Action);
    expect(allowed.toSorted()).toEqual([...new Set(called.map((name) => `cognito-idp:${name}`))].toSorted());
    expect(allowed.length).toBeGreaterThan(4);
  });

  test.each(policies)('%s names each action and each resource', (name) => {
    for (const { Action, Resource = [] } of policy(name).Statement) {
      for (const action of Action) expect(action).toMatch(/^[a-z-]+:[A-Z][A-Za-z]+$/);
      expect(Resource).not.toEqual([]);
      // A star only for the streams of a function's own log group.
      for (const resource of Resource) {
        expect(resource).toMatch(/^arn:aws:[a-z-]+:<region>:<account-id>:[^*<>]+(?:<user-pool-id>|:\*)?$/);
      }
    }
  });

  test('each function may write its own log, and only the one with the queue may write there', () => {
    const logs = ['trigger-policy', 'event-policy'].flatMap((name) =>
      policy(name).Statement.flatMap(({ Resource = [] }) => Resource.filter((arn) => arn.includes(':logs:'))),
    );
    const names = logs.map((arn) => /\/aws\/lambda\/latchkey-([a-z-]+):\*$/.exec(arn)?.[1]);
    expect(names.toSorted()).toEqual([...TRIGGERS].toSorted());
    expect(JSON.stringify(policy('trigger-policy'))).not.toContain('sqs');
  });

  test('the roles of the functions can be taken by Lambda alone', () => {
    expect(policy('function-trust-policy').Statement).toEqual([
      { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: ['sts:AssumeRole'] },
    ]);
  });
});

describe('the event rule', () => {
  const RULE = z.strictObject({
    source: z.array(z.string()),
    'detail-type': z.array(z.string()),
    detail: z.strictObject({
      eventSource: z.array(z.string()),
      errorCode: z.tuple([z.strictObject({ exists: z.literal(false) })]),
      eventName: z.array(z.string()),
    }),
  });
  const rule = RULE.parse(JSON.parse(read('deploy/cognito/event-rule.json')));
  const EVENT = z.object({
    source: z.string(),
    'detail-type': z.string(),
    detail: z.object({ eventSource: z.string(), eventName: z.string(), errorCode: z.string().optional() }),
  });
  const lets = (event: z.infer<typeof EVENT>) =>
    rule.source.includes(event.source) &&
    rule['detail-type'].includes(event['detail-type']) &&
    rule.detail.eventSource.includes(event.detail.eventSource) &&
    rule.detail.eventName.includes(event.detail.eventName) &&
    event.detail.errorCode === undefined;

  test.each(globSync('tests/fixtures/cognito/cloudtrail.*.json', { cwd: root }))('%s passes it', (file) => {
    const event = EVENT.parse(JSON.parse(read(file)));
    expect(lets(event)).toBe(true);
    expect(lets({ ...event, detail: { ...event.detail, errorCode: 'X' } })).toBe(false);
    expect(lets({ ...event, detail: { ...event.detail, eventName: 'AdminGetUser' } })).toBe(false);
  });

  test('it waits for every call of the recorded pattern, once, and for none that Cognito does not have', () => {
    const recorded: { detail: { eventName: string[] } } = JSON.parse(
      read('tests/fixtures/cognito/eventbridge.rule-pattern.json'),
    );
    const { eventName } = rule.detail;
    expect(eventName).toEqual(expect.arrayContaining(recorded.detail.eventName));
    expect(new Set(eventName).size).toBe(eventName.length);
    for (const name of eventName) expect(Object.keys(sdk)).toContain(`${name}Command`);
  });
});

describe('docs/cognito.md', () => {
  test('every file it names is there', () => {
    const files = [...docs.matchAll(/(?:deploy\/cognito|tests\/e2e)\/[\w.-]+\.(?:json|ts)/g)].map(
      ([file]) => file,
    );
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) expect(() => read(file)).not.toThrow();
  });

  test('every function it names is one that is built, and all are named', () => {
    const named = [...docs.matchAll(/`latchkey-((?:pre-|forward-)[a-z-]+)`/g)].map((match) => match[1]);
    expect([...new Set(named)].toSorted()).toEqual([...TRIGGERS, 'forward-event-dead'].toSorted());
  });

  const commands = [...docs.matchAll(/```sh\n(.*?)```/gs)].map((match) => match[1] ?? '');

  test('every shell variable is set in the block that uses it, before it is used', () => {
    for (const block of commands) {
      for (const { 1: name = '', index } of block.matchAll(/\$(?:\{)?([A-Z_]+)/g)) {
        const isSet = new RegExp(`(?:^|[\\s;])${name}=|read .* ${name}$`, 'm');
        expect(block.slice(0, index), name).toMatch(isSet);
      }
    }
  });

  test('every command it gives is one that there is', () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(read('package.json')));
    const run = [...docs.matchAll(/npm run ([a-z:]+)/g)].map((match) => match[1] ?? '');
    expect(new Set(run)).toEqual(new Set(['build:triggers', 'deploy:triggers']));
    for (const name of run) expect(Object.keys(scripts)).toContain(name);
    for (const [, command = ''] of docs.matchAll(/npx latchkey ([a-z-]+)/g)) {
      expect(read('scripts/program/commands.ts')).toContain(command);
    }
  });

  test('no secret is on a command line', () => {
    for (const block of commands) expect(block).not.toMatch(/aws .*(?:SECRET|whsec_)/);
  });

  test('every variable it names is one that is read', () => {
    const named = new Set(
      [...docs.matchAll(/\b(?:COGNITO|LATCHKEY|HASURA)_[A-Z_]+\b/g)].map(([name]) => name),
    );
    const ofFunctions = read('services/cognito-triggers/src/config.ts');
    const ofCommand = read('scripts/deploy-triggers/settings.ts');
    const unknown = [...named].filter(
      (name) =>
        !VARIABLES.includes(name) &&
        !ofFunctions.includes(`${name}:`) &&
        !ofCommand.includes(`environment.${name},`) &&
        name !== 'HASURA_GRAPHQL_JWT_SECRET',
    );
    expect(unknown).toEqual([]);
  });

  test('every setting of Cognito is in it', () => {
    for (const name of VARIABLES.filter((variable) => variable.startsWith('COGNITO_')))
      expect(docs).toContain(name);
  });

  test('the settings that it begins with are enough for the service and for the functions', () => {
    const secret = `whsec_${'A'.repeat(43)}=`;
    const settings = parseEnv(
      (commands.find((block) => block.includes('COGNITO_CLIENT_IDS=')) ?? '').replace(/whsec_…/, secret),
    );
    const { variables } = readDeploySettings(settings);
    expect(variables['pre-token-generation']).toEqual({ LATCHKEY_ALLOWED_ROLES: 'editor' });
    expect(variables['forward-event']).toMatchObject({ COGNITO_WEBHOOK_SECRET: secret });
    expect(readConfig({ ...settings, HASURA_GRAPHQL_ADMIN_SECRET: 'x' }).providers.cognito).toMatchObject({
      userPoolIds: ['eu-west-1_AbCdEfGhI'],
      webhookSecrets: [secret],
    });
  });
});
