import { describe, expect, test } from 'vitest';
import { readConfig } from '#config/read-config.ts';

const complete = {
  HASURA_GRAPHQL_ADMIN_SECRET: 'admin',
  CASDOOR_ENDPOINT: 'http://casdoor:8000/',
  CASDOOR_APPLICATION: 'app-acme',
  CASDOOR_CLIENT_ID: '0123456789abcdef0123',
  CASDOOR_CLIENT_SECRET: 'the-client-secret',
  CASDOOR_WEBHOOK_SECRET: 'a-secret-of-32-characters-or-so',
};

test('Casdoor alone is enough, and what is not set follows from what is', () => {
  const { providers } = readConfig(complete);
  expect(providers).toEqual({
    allowedRoles: [],
    claims: [],
    casdoor: {
      endpoint: 'http://casdoor:8000',
      issuer: 'http://casdoor:8000',
      application: 'app-acme',
      clientId: '0123456789abcdef0123',
      clientSecret: 'the-client-secret',
      audience: ['0123456789abcdef0123'],
      webhookSecrets: ['a-secret-of-32-characters-or-so'],
      webhookHeader: 'x-webhook-secret',
      organizations: [],
      properties: [],
      serviceUrl: 'http://127.0.0.1:8081',
    },
  });
});

test('everything can be set', () => {
  const { providers } = readConfig({
    ...complete,
    CASDOOR_ISSUER: 'https://door.example.com/',
    CASDOOR_AUDIENCE: 'one, two',
    CASDOOR_WEBHOOK_SECRET: 'the-old-one-of-32-characters, the-new-one-of-32-characters',
    CASDOOR_WEBHOOK_HEADER: 'Authorization',
    CASDOOR_ORGANIZATIONS: 'acme,',
    LATCHKEY_CLAIMS: 'plan,tenant=tenant_id,tier=plan',
    LATCHKEY_SERVICE_URL: 'http://identity:8081',
  });
  expect(providers.casdoor).toMatchObject({
    issuer: 'https://door.example.com',
    audience: ['one', 'two'],
    webhookSecrets: ['the-old-one-of-32-characters', 'the-new-one-of-32-characters'],
    webhookHeader: 'authorization',
    organizations: ['acme'],
    properties: ['plan', 'tenant_id'],
    serviceUrl: 'http://identity:8081',
  });
});

describe('the error names the variable and the fix, where', () => {
  test.each([
    ['CASDOOR_ENDPOINT', /address of Casdoor/],
    ['CASDOOR_APPLICATION', /Name/],
    ['CASDOOR_CLIENT_ID', /Client ID/],
    ['CASDOOR_CLIENT_SECRET', /Client secret/],
    ['CASDOOR_WEBHOOK_SECRET', /openssl rand/],
  ])('%s is missing', (name, fix) => {
    const read = () => readConfig({ ...complete, [name]: ' ' });
    expect(read).toThrow(new RegExp(`^${name} is missing: `));
    expect(read).toThrow(fix);
  });

  test.each([
    ['CASDOOR_ENDPOINT', 'door.example.com'],
    ['CASDOOR_ISSUER', 'ftp://door.example.com'],
    ['CASDOOR_WEBHOOK_SECRET', 'short'],
    ['CASDOOR_WEBHOOK_SECRET', 'a-secret-of-32-characters-or-so,short'],
    ['CASDOOR_WEBHOOK_HEADER', 'X Webhook: Secret'],
  ])('%s is %j', (name, value) => {
    expect(() => readConfig({ ...complete, [name]: value })).toThrow(new RegExp(`^${name} must `));
  });
});
