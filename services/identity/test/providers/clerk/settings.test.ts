import { SECRET } from '@latchkey/tests/support/clerk';
import { describe, expect, test } from 'vitest';
import { readConfig } from '#config/read-config.ts';

const NEEDED = { HASURA_GRAPHQL_ADMIN_SECRET: 'admin', CLERK_WEBHOOK_SECRET: SECRET };
const read = (settings: Record<string, string>) => readConfig({ ...NEEDED, ...settings }).providers.clerk;

test('everything can be set', () => {
  expect(
    read({
      CLERK_PUBLISHABLE_KEY: 'pk_test_Y2xlcmsuZXhhbXBsZS5jb20k',
      CLERK_FRONTEND_API_URL: 'https://app.example.com/__clerk/',
      CLERK_ISSUERS: 'https://clerk.example.com, https://Clerk.Satellite.example/ ,',
      CLERK_SECRET_KEY: 'sk_test_1',
      CLERK_API_URL: 'https://api.example.com/',
      CLERK_INSTANCE_ID: 'ins_1',
      CLERK_AUTHORIZED_PARTIES: 'https://app.example.com,http://localhost:3000, chrome-extension://abcdefgh',
    }),
  ).toEqual({
    webhookSecrets: [SECRET],
    publishableKey: 'pk_test_Y2xlcmsuZXhhbXBsZS5jb20k',
    frontendApiUrl: 'https://app.example.com/__clerk',
    furtherIssuers: ['https://clerk.example.com', 'https://clerk.satellite.example'],
    secretKey: 'sk_test_1',
    apiUrl: 'https://api.example.com',
    instanceId: 'ins_1',
    authorizedParties: ['https://app.example.com', 'http://localhost:3000', 'chrome-extension://abcdefgh'],
  });
});

describe('refused, with the fix, is', () => {
  test.each([
    // An origin is compared letter for letter with what a browser sends.
    [
      'CLERK_AUTHORIZED_PARTIES',
      'https://app.example.com/',
      /at the end: write https:\/\/app\.example\.com instead/,
    ],
    [
      'CLERK_AUTHORIZED_PARTIES',
      'https://app.example.com/login',
      /write https:\/\/app\.example\.com instead/,
    ],
    [
      'CLERK_AUTHORIZED_PARTIES',
      'http://localhost:3000,app.example.com',
      /write https:\/\/app\.example\.com instead/,
    ],
    ['CLERK_AUTHORIZED_PARTIES', 'https://App.example.com:443', /write https:\/\/app\.example\.com instead/],
    [
      'CLERK_AUTHORIZED_PARTIES',
      'https://me:hunter2@app.example.com',
      /write https:\/\/app\.example\.com instead/,
    ],
    ['CLERK_AUTHORIZED_PARTIES', 'https://*.example.com', /no wildcards: list each origin/],
    ['CLERK_AUTHORIZED_PARTIES', 'https:// app', /must be origins such as https:\/\/app\.example\.com/],
    ['CLERK_ISSUERS', 'https://clerk.example.com,clerk.other.example', /number 2 is none/],
    ['CLERK_ISSUERS', 'http://clerk.example.com', /such as https:\/\/clerk\.example\.com.*number 1 is none/],
    ['CLERK_ISSUERS', 'https://clerk.example.com/.well-known/jwks.json', /number 1 is none/],
    ['CLERK_FRONTEND_API_URL', 'clerk.example.com', /must be where Clerk’s Frontend API is, such as https:/],
    [
      'CLERK_FRONTEND_API_URL',
      'https://me:hunter2@clerk.example.com',
      /must be where Clerk’s Frontend API is/,
    ],
    ['CLERK_API_URL', 'https://api.clerk.com/v1/', /must end before \/v1/],
    ['CLERK_API_URL', 'https://me:hunter2@api.clerk.com', /must be a URL without user, password/],
    ['HASURA_GRAPHQL_ENDPOINT', 'http://127.0.0.1:8080/?a=b', /must be a URL without user, password/],
    ['CLERK_INSTANCE_ID', 'my-instance', /must be ins_…/],
  ])('%s=%s', (variable, value, message) => {
    const failing = () => read({ [variable]: value });
    expect(failing).toThrow(expect.objectContaining({ code: 'configuration-invalid' }));
    expect(failing).toThrow(message);
    expect(failing).toThrow(new RegExp(`^${variable} `));
    expect(failing).not.toThrow(/hunter2/);
  });
});
