import { describe, expect, test } from 'vitest';
import { readConfig } from '#config/read-config.ts';

const GIVEN = {
  HASURA_GRAPHQL_ADMIN_SECRET: 'x',
  OIDC_ISSUER: 'https://tenant.eu.auth0.com/',
  OIDC_AUDIENCE: 'https://api.example.com, spa',
};
const read = (changes: Record<string, string> = {}) => readConfig({ ...GIVEN, ...changes }).providers.oidc;

test('an issuer is kept letter for letter, its last slash too', () => {
  expect(read()).toEqual({
    issuer: 'https://tenant.eu.auth0.com/',
    audience: ['https://api.example.com', 'spa'],
    keysUrl: undefined,
    serviceUrl: 'http://127.0.0.1:8081',
  });
  expect(read({ OIDC_JWKS_URL: 'http://keycloak:8080/certs?p=1' })).toMatchObject({
    keysUrl: 'http://keycloak:8080/certs?p=1',
  });
  expect(read({ OIDC_ISSUER: 'http://localhost:8080/realms/app' })?.issuer).toBe(
    'http://localhost:8080/realms/app',
  );
});

describe('refused, with the fix, is', () => {
  test.each<[string, Record<string, string>, string]>([
    ['no audience', { OIDC_AUDIENCE: '' }, 'OIDC_AUDIENCE is missing'],
    ['an empty one', { OIDC_AUDIENCE: ',' }, 'OIDC_AUDIENCE must name at least one'],
    ['no issuer', { OIDC_ISSUER: '' }, 'OIDC_ISSUER is missing'],
    ['an issuer over plain http', { OIDC_ISSUER: 'http://login.example.com' }, 'must be an https URL'],
    ['a host alone', { OIDC_ISSUER: 'login.example.com' }, 'must be an https URL'],
    ['a query', { OIDC_ISSUER: 'https://login.example.com?tenant=a' }, 'must be an https URL'],
    ['a fragment', { OIDC_ISSUER: 'https://login.example.com#' }, 'must be an https URL'],
    ['a password', { OIDC_ISSUER: 'https://a:b@login.example.com' }, 'must be an https URL'],
    [
      'the address of the document',
      { OIDC_ISSUER: 'https://login.example.com/.well-known/openid-configuration' },
      'must be the issuer alone',
    ],
    ['keys in a file', { OIDC_JWKS_URL: 'file:///keys.json' }, 'OIDC_JWKS_URL must be'],
  ])('%s', (_, changes, message) => {
    expect(() => read(changes)).toThrow(
      expect.objectContaining({
        code: 'configuration-invalid',
        message: expect.stringContaining(message),
      }),
    );
  });
});
