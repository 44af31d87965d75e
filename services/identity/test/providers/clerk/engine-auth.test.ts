import { CLAIM_SETTINGS } from '@latchkey/core/settings/claims';
import { describe, expect, test } from 'vitest';
import { clerkEngineAuth, clerkIssuer } from '#providers/clerk/engine-auth.ts';

const key = (host: string) => `pk_test_${Buffer.from(`${host}$`).toString('base64')}`;
const invalid = (variable: string) =>
  expect.objectContaining({ code: 'configuration-invalid', message: expect.stringContaining(variable) });

test('the issuer follows from the publishable key', () => {
  expect(clerkIssuer({ publishableKey: key('clerk.example.com') })).toBe('https://clerk.example.com');
  expect(clerkIssuer({ publishableKey: key('happy-cat-1.clerk.accounts.dev').replace(/=+$/, '') })).toBe(
    'https://happy-cat-1.clerk.accounts.dev',
  );
});

test('the Frontend API URL is taken before the publishable key, without its slash', () => {
  const settings = { publishableKey: key('a.example.com'), frontendApiUrl: 'https://b.example.com/' };
  expect(clerkIssuer(settings)).toBe('https://b.example.com');
});

test('Hasura is told the issuer and where its keys are', () => {
  expect(clerkEngineAuth({ publishableKey: key('clerk.example.com') }).jwtSecret).toEqual({
    jwk_url: 'https://clerk.example.com/.well-known/jwks.json',
    issuer: 'https://clerk.example.com',
    allowed_skew: 5,
  });
});

test('behind a proxy the issuer has a path, and the keys are below it', () => {
  const { issuers, jwtSecret } = clerkEngineAuth({
    publishableKey: key('clerk.example.com'),
    frontendApiUrl: 'https://App.example.com/__clerk/',
  });
  expect(issuers).toEqual(['https://app.example.com/__clerk']);
  expect(jwtSecret).toMatchObject({
    jwk_url: 'https://app.example.com/__clerk/.well-known/jwks.json',
    issuer: 'https://app.example.com/__clerk',
  });
});

test('of several issuers Hasura itself trusts the first, and that is said', () => {
  const settings = { publishableKey: key('clerk.example.com') };
  const furtherIssuers = ['https://clerk.satellite.example', 'https://clerk.example.com'];
  const { issuers, jwtSecret, notes, needsHook } = clerkEngineAuth({ ...settings, furtherIssuers });
  expect(issuers).toEqual(['https://clerk.example.com', 'https://clerk.satellite.example']);
  expect(jwtSecret.issuer).toBe('https://clerk.example.com');
  expect(notes).toEqual([
    expect.stringMatching(/one issuer, https:\/\/clerk\.example\.com\..*satellite\.example.*--strict/),
  ]);
  // They are the same people, whoever issues their tokens.
  expect(needsHook).toBeUndefined();
  expect(clerkEngineAuth(settings).notes).toBeUndefined();
});

test('the template gives role user alone, and no claim that could be null', () => {
  const paste = clerkEngineAuth({ publishableKey: key('clerk.example.com') }).setup[0]?.paste ?? '';
  expect(JSON.parse(paste)).toEqual({
    'https://hasura.io/jwt/claims': {
      'x-hasura-allowed-roles': ['user'],
      'x-hasura-default-role': 'user',
      'x-hasura-user-id': '{{user.id}}',
      'x-hasura-org-id': "{{org.id || ''}}",
      'x-hasura-org-role': "{{org.role || ''}}",
      'x-hasura-identity-provider': 'clerk',
    },
  });
});

test('the template has each listed attribute of the public metadata, or nothing, and no other', () => {
  const { LATCHKEY_CLAIMS: claims } = CLAIM_SETTINGS.parse({
    LATCHKEY_CLAIMS: 'plan,tenant=custom:tenant_id',
  });
  const { setup } = clerkEngineAuth({ publishableKey: key('clerk.example.com') }, claims);
  const { 'https://hasura.io/jwt/claims': claimed } = JSON.parse(setup[0]?.paste ?? '');
  expect(claimed).toMatchObject({
    'x-hasura-plan': "{{user.public_metadata.plan || ''}}",
    'x-hasura-tenant': "{{user.public_metadata.tenant_id || ''}}",
  });
  expect(Object.keys(claimed)).toHaveLength(8);
});

describe('refused, with the variable named, is', () => {
  test.each([
    '',
    'sk_test_abc',
    'pk_test_',
    'pk_test_!!!',
    `pk_test_${btoa('clerk.example.com')}`,
    key('a/b'),
    key(''),
  ])('the publishable key "%s"', (publishableKey) => {
    expect(() => clerkIssuer({ publishableKey })).toThrow(invalid('CLERK_PUBLISHABLE_KEY'));
  });

  test.each([
    'clerk.example.com',
    'http://clerk.example.com',
    'http://127.0.0.1.example.com',
    'https://user@clerk.example.com',
    'https://clerk.example.com/?a',
    'https://clerk.example.com/#a',
    'https://clerk.example.com/.well-known/jwks.json',
    'file:///etc',
  ])('the Frontend API URL %s', (frontendApiUrl) => {
    expect(() => clerkIssuer({ frontendApiUrl })).toThrow(invalid('CLERK_FRONTEND_API_URL'));
  });

  test('neither of the two', () => {
    expect(() => clerkIssuer({})).toThrow(invalid('CLERK_PUBLISHABLE_KEY'));
  });
});

test('plain http is for this machine', () => {
  expect(clerkIssuer({ frontendApiUrl: 'http://127.0.0.1:4444' })).toBe('http://127.0.0.1:4444');
});
