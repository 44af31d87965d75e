import { parseEnv } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { latchkey, oneLine } from '../support/run-latchkey.ts';
import { SECRET } from './clerk.ts';

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
  expect(JSON.parse(stdout)).toMatchObject([{ issuer: 'https://clerk.example.com' }, { audience: ['c'] }]);
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
])('Hasura by itself would mix up %s: that is refused, but strictly it is not', (_what, args, more, why) => {
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
});

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
    stderr: oneLine(/.*--provider takes clerk, casdoor, cognito, oidc, not okta\./),
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
