import { SECRET } from '@latchkey/tests/support/clerk';
import { describe, expect, test } from 'vitest';
import { readConfig } from '#config/read-config.ts';

const NEEDED = { HASURA_GRAPHQL_ADMIN_SECRET: 'hunter2', CLERK_WEBHOOK_SECRET: SECRET };
const OTHER = `whsec_${Buffer.from('another key of thirty-two bytes!').toString('base64')}`;

function problemWith(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    expect(error).toMatchObject({ code: 'configuration-invalid', exitCode: 2 });
    return error instanceof Error ? error.message : '';
  }
  throw new Error('It was accepted.');
}

test('two variables are enough', () => {
  expect(readConfig(NEEDED)).toMatchObject({
    engine: { endpoint: 'http://127.0.0.1:8080', adminSecret: 'hunter2' },
    http: { host: '127.0.0.1', port: 8081 },
    logLevel: 'info',
    writer: { inFlight: 1 },
    providers: {
      clerk: { webhookSecrets: [SECRET], apiUrl: 'https://api.clerk.com', authorizedParties: [] },
    },
  });
});

test('an empty variable is an absent one', () => {
  const empty = {
    LATCHKEY_PORT: '',
    CLERK_PUBLISHABLE_KEY: ' ',
    CLERK_SECRET_KEY: '',
    HASURA_GRAPHQL_ENDPOINT: '',
  };
  expect(readConfig({ ...NEEDED, ...empty })).toEqual(readConfig(NEEDED));
});

test('several secrets stand in one variable', () => {
  const config = readConfig({ ...NEEDED, CLERK_WEBHOOK_SECRET: ` ${SECRET} , ${OTHER},` });
  expect(config.providers.clerk?.webhookSecrets).toEqual([SECRET, OTHER]);
});

test('Hasura’s secret may be several, with nothing behind the last comma, and may be missing', () => {
  expect(readConfig(NEEDED)).toMatchObject({ engineSecrets: [], retentionDays: 30 });
  const settings = {
    LATCHKEY_ACTION_SECRET: 'a-new-one-of-length,an-old-one-of-length,',
    LATCHKEY_RETENTION_DAYS: '7',
  };
  expect(readConfig({ ...NEEDED, ...settings })).toMatchObject({
    engineSecrets: ['a-new-one-of-length', 'an-old-one-of-length'],
    retentionDays: 7,
  });
});

test('what a repair may delete at once is a share, or a few rows', () => {
  expect(readConfig(NEEDED).deletionLimit).toEqual({ share: 0.1, rows: 1 });
  const limits = { LATCHKEY_DELETION_LIMIT: '2.5 %', LATCHKEY_DELETION_LIMIT_ROWS: '0' };
  expect(readConfig({ ...NEEDED, ...limits }).deletionLimit).toEqual({ share: 0.025, rows: 0 });
});

test('roles besides user are only those that are listed; without a token there is none', () => {
  expect(readConfig(NEEDED)).toMatchObject({ providers: { allowedRoles: [] }, unauthorizedRole: undefined });
  const roles = { LATCHKEY_ALLOWED_ROLES: ' editor, org:billing,', LATCHKEY_UNAUTHORIZED_ROLE: 'visitor ' };
  expect(readConfig({ ...NEEDED, ...roles })).toMatchObject({
    providers: { allowedRoles: ['editor', 'org:billing'] },
    unauthorizedRole: 'visitor',
  });
});

test('the endpoint has no slash at its end', () => {
  const config = readConfig({ ...NEEDED, HASURA_GRAPHQL_ENDPOINT: 'https://hasura.example.com/' });
  expect(config.engine.endpoint).toBe('https://hasura.example.com');
});

describe('a wrong value is named in one line with its fix, and not repeated', () => {
  test.each([
    ['HASURA_GRAPHQL_ENDPOINT', 'ftp://tell-nobody'],
    ['HASURA_GRAPHQL_ENDPOINT', 'tell-nobody:8080'],
    ['LATCHKEY_PORT', 'tell-nobody'],
    ['LATCHKEY_PORT', '65536'],
    ['LATCHKEY_LOG_LEVEL', 'tell-nobody'],
    ['LATCHKEY_WRITES_IN_FLIGHT', '0'],
    ['LATCHKEY_ACTION_SECRET', 'tell-nobody'],
    ['LATCHKEY_ACTION_SECRET', 'one-that-is-long-enough,tell-nobody'],
    ['LATCHKEY_RETENTION_DAYS', '0'],
    ['LATCHKEY_DELETION_LIMIT', 'tell-nobody'],
    ['LATCHKEY_DELETION_LIMIT', '101%'],
    ['LATCHKEY_DELETION_LIMIT_ROWS', '-1'],
    ['LATCHKEY_ALLOWED_ROLES', 'tell-nobody,ADMIN'],
    ['LATCHKEY_ALLOWED_ROLES', ' admin '],
    ['LATCHKEY_UNAUTHORIZED_ROLE', 'Admin'],
    ['LATCHKEY_UNAUTHORIZED_ROLE', 'user'],
    ['CLERK_WEBHOOK_SECRET', 'tell-nobody'],
    ['CLERK_WEBHOOK_SECRET', 'whsec_'],
    ['CLERK_WEBHOOK_SECRET', `whsec_${btoa('too short')}`],
    ['CLERK_WEBHOOK_SECRET', `${SECRET},tell-nobody`],
    ['CLERK_WEBHOOK_SECRET', ','],
    ['CLERK_PUBLISHABLE_KEY', 'sk_test_tell-nobody'],
    ['CLERK_SECRET_KEY', 'pk_test_tell-nobody'],
    ['CLERK_FRONTEND_API_URL', 'tell-nobody'],
  ])('%s=%s', (variable, value) => {
    const message = problemWith({ ...NEEDED, [variable]: value });
    expect(message).toMatch(new RegExp(`^${variable} (must|is missing).+\\.$`));
    expect(message).not.toContain('tell-nobody');
  });

  test.each(['HASURA_GRAPHQL_ADMIN_SECRET', 'CLERK_WEBHOOK_SECRET'])('%s missing', (variable) => {
    expect(problemWith({ ...NEEDED, [variable]: '' })).toMatch(new RegExp(`^${variable} is missing.+\\.$`));
  });
});

test('Clerk set up by half is not Clerk left out', () => {
  const { CLERK_WEBHOOK_SECRET: _, ...rest } = NEEDED;
  expect(problemWith({ ...rest, CLERK_SECRET_KEY: 'sk_test_1' })).toMatch(/^CLERK_WEBHOOK_SECRET is missing/);
});

test('several wrong values are several lines', () => {
  const message = problemWith({ ...NEEDED, LATCHKEY_PORT: 'x', LATCHKEY_LOG_LEVEL: 'y' });
  expect(message.split('\n')).toHaveLength(2);
});

test('the attributes that become claims are kept of each user of a pool', () => {
  const pool = {
    COGNITO_USER_POOL_ID: 'eu-west-1_EXAMPLE12',
    COGNITO_CLIENT_IDS: '1example23456789',
    COGNITO_WEBHOOK_SECRET: SECRET,
    COGNITO_METADATA_ATTRIBUTES: 'custom:plan,locale',
    LATCHKEY_CLAIMS: 'plan,tenant=tenant_id',
  };
  expect(readConfig({ ...NEEDED, ...pool }).providers.cognito?.metadataAttributes).toEqual([
    'custom:plan',
    'locale',
    'custom:tenant_id',
  ]);
});

test('how long a session is good may be bounded, in whole seconds', () => {
  expect(readConfig(NEEDED).sessionSeconds).toBeUndefined();
  expect(readConfig({ ...NEEDED, LATCHKEY_SESSION_SECONDS: ' 300 ' }).sessionSeconds).toBe(300);
  for (const wrong of ['0', '-1', '1.5', 'an hour', '86401']) {
    expect(problemWith({ ...NEEDED, LATCHKEY_SESSION_SECONDS: wrong })).toBe(
      'LATCHKEY_SESSION_SECONDS must be a whole number from 1 to 86400.',
    );
  }
});

test('it is known whether Hasura trusts tokens by itself, where the service has its settings', () => {
  expect(readConfig(NEEDED).hasJwtSecret).toBe(false);
  for (const name of ['HASURA_GRAPHQL_JWT_SECRET', 'HASURA_GRAPHQL_JWT_SECRETS']) {
    expect(readConfig({ ...NEEDED, [name]: '{}' }).hasJwtSecret).toBe(true);
    expect(readConfig({ ...NEEDED, [name]: ' ' }).hasJwtSecret).toBe(false);
  }
});
