import { CLIENT, POOL, SECRET } from '@latchkey/tests/support/cognito';
import { describe, expect, test } from 'vitest';
import { readConfig } from '#config/read-config.ts';
import { CONFIG } from '../../support/cognito.ts';

const cognito = {
  HASURA_GRAPHQL_ADMIN_SECRET: 'secret',
  COGNITO_USER_POOL_ID: POOL,
  COGNITO_CLIENT_IDS: CLIENT,
  COGNITO_WEBHOOK_SECRET: SECRET,
};

test('three variables set Cognito up; the ID token and a V1_0 trigger need no plan', () => {
  expect(readConfig(cognito).providers).toEqual({ cognito: CONFIG, allowedRoles: [], claims: [] });
});

test('lists are lists', () => {
  const { cognito: config } = readConfig({
    ...cognito,
    COGNITO_USER_POOL_ID: `${POOL},us-east-1_Other, ${POOL}`,
    COGNITO_CLIENT_IDS: `${CLIENT}, other ,`,
    COGNITO_WEBHOOK_SECRET: `${SECRET},${SECRET}`,
    COGNITO_METADATA_ATTRIBUTES: 'custom:plan,locale',
    COGNITO_TOKEN_USE: 'access',
    COGNITO_TRIGGER_VERSION: 'V3_0',
    COGNITO_FEDERATED_GROUPS: 'true',
    COGNITO_UNCONFIRMED_USERS: 'true',
    COGNITO_ENDPOINT: 'http://127.0.0.1:9229/',
  }).providers;
  expect(config).toEqual({
    userPoolIds: [POOL, 'us-east-1_Other'],
    clientIds: [CLIENT, 'other'],
    webhookSecrets: [SECRET, SECRET],
    tokenUse: 'access',
    triggerVersion: 'V3_0',
    metadataAttributes: ['custom:plan', 'locale'],
    keepsFederatedGroups: true,
    keepsUnconfirmedUsers: true,
    endpoint: 'http://127.0.0.1:9229',
    issuer: undefined,
    keysUrl: undefined,
    apiEndpoint: 'http://127.0.0.1:9229',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
});

test.each<[string, Record<string, string>, RegExp]>([
  ['no pool', { COGNITO_USER_POOL_ID: '' }, /COGNITO_USER_POOL_ID is missing: .*Overview/],
  [
    'the name of a pool',
    { COGNITO_USER_POOL_ID: 'my pool' },
    /COGNITO_USER_POOL_ID must be the User pool ID/,
  ],
  [
    'the ARN of a pool',
    { COGNITO_USER_POOL_ID: `arn:aws:cognito-idp:eu-west-1:1:userpool/${POOL}` },
    /COGNITO_USER_POOL_ID must be the User pool ID/,
  ],
  ['one pool of two', { COGNITO_USER_POOL_ID: `${POOL},my pool` }, /COGNITO_USER_POOL_ID must be/],
  ['no pool at all', { COGNITO_USER_POOL_ID: ',' }, /COGNITO_USER_POOL_ID must be/],
  ['an unclear wish', { COGNITO_FEDERATED_GROUPS: 'yes' }, /COGNITO_FEDERATED_GROUPS must be true or false/],
  ['no app client', { COGNITO_CLIENT_IDS: ' ' }, /COGNITO_CLIENT_IDS is missing: .*App clients/],
  ['only commas', { COGNITO_CLIENT_IDS: ',' }, /COGNITO_CLIENT_IDS must name at least one/],
  ['no secret', { COGNITO_WEBHOOK_SECRET: '' }, /COGNITO_WEBHOOK_SECRET is missing: .*openssl/],
  ['a weak secret', { COGNITO_WEBHOOK_SECRET: 'whsec_c2hvcnQ=' }, /COGNITO_WEBHOOK_SECRET must be whsec_/],
  ['another kind of token', { COGNITO_TOKEN_USE: 'refresh' }, /COGNITO_TOKEN_USE must be one of id, access/],
  ['another version', { COGNITO_TRIGGER_VERSION: '2' }, /COGNITO_TRIGGER_VERSION must be one of V1_0/],
  [
    'access tokens that no V1_0 trigger can change',
    { COGNITO_TOKEN_USE: 'access' },
    /COGNITO_TOKEN_USE is access, but .* set COGNITO_TRIGGER_VERSION/,
  ],
])('%s: refused by name, with the fix', (_, changes, message) => {
  expect(() => readConfig({ ...cognito, ...changes })).toThrow(
    expect.objectContaining({ code: 'configuration-invalid', message: expect.stringMatching(message) }),
  );
});

test.each([
  ['https://cognito-idp.eu-west-1.amazonaws.com', 'https://cognito-idp.eu-west-1.amazonaws.com'],
  [`https://cognito-idp.eu-west-1.amazonaws.com/${POOL}`, 'https://cognito-idp.eu-west-1.amazonaws.com'],
  [`http://moto:5000/${POOL}/.well-known/jwks.json`, 'http://moto:5000'],
  ['http://moto:5000/cognito/', 'http://moto:5000/cognito'],
])('an address of issuers or keys may be given whole: %s', (given, address) => {
  const { cognito: config } = readConfig({
    ...cognito,
    COGNITO_ISSUER: given,
    COGNITO_KEYS_URL: given,
  }).providers;
  expect([config?.issuer, config?.keysUrl]).toEqual([address, address]);
});

describe('credentials', () => {
  const KEYS = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'example' };
  const LOCAL = { COGNITO_ENDPOINT: 'http://127.0.0.1:9229' };
  const credentialsOf = (environment: Record<string, string>) =>
    readConfig({ ...cognito, ...environment }).providers.cognito?.credentials;

  test.each<[string, Record<string, string>, object | undefined]>([
    ['AWS itself: whatever the SDK finds', {}, undefined],
    ['keys that are set', KEYS, { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'example' }],
    [
      'keys of a session',
      { ...KEYS, AWS_SESSION_TOKEN: 'token' },
      { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'example', sessionToken: 'token' },
    ],
    ['a stand-in where there are none', LOCAL, { accessKeyId: 'local', secretAccessKey: 'local' }],
    [
      'a stand-in with keys that are set',
      { ...LOCAL, ...KEYS },
      { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'example' },
    ],
    ['a stand-in with a profile', { ...LOCAL, AWS_PROFILE: 'work' }, undefined],
    ['a stand-in with a role', { ...LOCAL, AWS_WEB_IDENTITY_TOKEN_FILE: '/token' }, undefined],
    [
      'an empty key, as compose files pass it on',
      { ...LOCAL, AWS_ACCESS_KEY_ID: '' },
      { accessKeyId: 'local', secretAccessKey: 'local' },
    ],
    ['an address elsewhere', { COGNITO_ENDPOINT: 'http://moto:5000' }, undefined],
  ])('%s', (_, environment, credentials) => {
    expect(credentialsOf(environment)).toEqual(credentials);
  });
});

test.each<[string, Record<string, string>, string | undefined]>([
  ['of all APIs', { AWS_ENDPOINT_URL: 'http://aws:4566' }, 'http://aws:4566'],
  [
    'of Cognito’s',
    {
      AWS_ENDPOINT_URL: 'http://aws:4566',
      AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: 'http://cognito:4566',
    },
    'http://cognito:4566',
  ],
  [
    'that is ignored',
    { AWS_ENDPOINT_URL: 'http://aws:4566', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' },
    undefined,
  ],
])('the SDK’s own variable of an address %s: the API is there, the issuer is AWS', (_, environment, url) => {
  const { cognito: config } = readConfig({ ...cognito, ...environment }).providers;
  expect([config?.apiEndpoint, config?.endpoint]).toEqual([url, undefined]);
});
