import { expect, test } from 'vitest';
import { readConfig } from '../../../../../../services/identity/core/config.ts';
import { CLIENT, CONFIG, POOL, SECRET } from '../../../../../support/cognito.ts';

const cognito = {
  HASURA_GRAPHQL_ADMIN_SECRET: 'secret',
  COGNITO_USER_POOL_ID: POOL,
  COGNITO_CLIENT_IDS: CLIENT,
  COGNITO_WEBHOOK_SECRET: SECRET,
};

test('three variables set Cognito up; the ID token and a V1_0 trigger need no plan', () => {
  expect(readConfig(cognito).providers).toEqual({ cognito: CONFIG, allowedRoles: [] });
});

test('lists are lists', () => {
  const { cognito: config } = readConfig({
    ...cognito,
    COGNITO_CLIENT_IDS: `${CLIENT}, other ,`,
    COGNITO_WEBHOOK_SECRET: `${SECRET},${SECRET}`,
    COGNITO_METADATA_ATTRIBUTES: 'custom:plan,locale',
    COGNITO_TOKEN_USE: 'access',
    COGNITO_TRIGGER_VERSION: 'V3_0',
    COGNITO_ENDPOINT: 'http://127.0.0.1:9229/',
  }).providers;
  expect(config).toEqual({
    userPoolId: POOL,
    clientIds: [CLIENT, 'other'],
    webhookSecrets: [SECRET, SECRET],
    tokenUse: 'access',
    triggerVersion: 'V3_0',
    metadataAttributes: ['custom:plan', 'locale'],
    endpoint: 'http://127.0.0.1:9229',
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
])('%s: refused by name, with the mend', (_, changes, message) => {
  expect(() => readConfig({ ...cognito, ...changes })).toThrow(
    expect.objectContaining({ code: 'configuration-invalid', message: expect.stringMatching(message) }),
  );
});
