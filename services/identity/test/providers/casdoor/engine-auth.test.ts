import { readFileSync } from 'node:fs';
import { CLAIM_SETTINGS } from '@latchkey/core/settings/claims';
import { fixture } from '@latchkey/tests/support/casdoor';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { casdoorEngineAuth, SUBSCRIBED_EVENTS } from '#providers/casdoor/engine-auth.ts';
import { readHint, readRecord } from '#providers/casdoor/hint.ts';

const CONFIG = {
  issuer: 'https://door.example.com',
  audience: ['0123456789abcdef0123'],
  serviceUrl: 'http://identity:8081',
  webhookHeader: 'x-webhook-secret',
  organizations: ['acme'],
};
const auth = casdoorEngineAuth(CONFIG);

test('Hasura gets the keys through the relay, and roles that no token can change', () => {
  expect(auth.jwtSecret).toEqual({
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
    },
  });
});

test('a claim is a property of the user, or empty', () => {
  const claims = CLAIM_SETTINGS.parse({ LATCHKEY_CLAIMS: 'plan,tenant=tenant-id' }).LATCHKEY_CLAIMS;
  expect(casdoorEngineAuth(CONFIG, claims).jwtSecret.claims_map).toMatchObject({
    'x-hasura-plan': { path: "$.properties['plan']", default: '' },
    'x-hasura-tenant': { path: "$.properties['tenant-id']", default: '' },
  });
});

test('docs/casdoor.md names the same events', () => {
  const page = readFileSync(new URL('../../../../../docs/casdoor.md', import.meta.url), 'utf8');
  const named = page
    .slice(page.indexOf('| events | what for |'), page.indexOf('**Restart Casdoor after'))
    .split('\n')
    .flatMap(
      (line) =>
        /^\| (`.*?) \|/
          .exec(line)?.[1]
          ?.matchAll(/`([\w-]+)`/g)
          .map(([, event]) => event)
          .toArray() ?? [],
    );
  expect(new Set(named)).toEqual(new Set(SUBSCRIBED_EVENTS));
});

test('each step names its screen, and what the tokens need comes first', () => {
  expect(auth.setup[0]).toMatchObject({ paste: 'origin = https://door.example.com' });
  expect(auth.setup.map(({ what }) => what).join()).toContain('Token cert');
});

describe('JWT mode', () => {
  test('is good for one organization with an application of its own', () => {
    expect(auth).toMatchObject({ needsHook: undefined, tenant: 'acme' });
  });

  test.each<[string, Partial<typeof CONFIG>, string]>([
    ['all organizations', { organizations: [] }, 'CASDOOR_ORGANIZATIONS is empty'],
    ['several organizations', { organizations: ['acme', 'beta'] }, 'CASDOOR_ORGANIZATIONS names several'],
    ['a shared application', { audience: ['0123-org-acme'] }, 'CASDOOR_AUDIENCE names a shared application'],
    ['a shared one among others', { audience: ['0123', '4567-org-acme'] }, 'CASDOOR_AUDIENCE names a shared'],
  ])('is not for %s, and the fix is told', (_what, changes, reason) => {
    const { needsHook } = casdoorEngineAuth({ ...CONFIG, ...changes });
    expect(needsHook).toContain(reason);
    expect(needsHook).toContain('npx latchkey jwt-secret --strict');
  });
});

test('the webhook’s page is told the events that are read, and only these', () => {
  const text = auth.setup.map(({ what }) => what).join();
  for (const event of SUBSCRIBED_EVENTS) expect(text).toContain(event);
  const template = z.record(z.string(), z.unknown()).parse(JSON.parse(fixture('webhook.update-user.json')));
  for (const action of SUBSCRIBED_EVENTS) {
    const requestUri =
      action === 'upload-resource' ? '/?tag=avatar&owner=acme&user=ada' : template.requestUri;
    const record = readRecord(JSON.stringify({ ...template, action, requestUri }));
    expect(record && readHint(record), action).not.toMatchObject({ kind: 'nobody' });
  }
  for (const action of ['logout', 'sso-logout', 'set-password', 'upload-permissions', 'add-permission']) {
    const record = readRecord(JSON.stringify({ ...template, action }));
    expect(record && readHint(record), action).toMatchObject({ kind: 'nobody' });
  }
});
