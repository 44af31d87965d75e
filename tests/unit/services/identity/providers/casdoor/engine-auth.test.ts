import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  casdoorEngineAuth,
  SUBSCRIBED_EVENTS,
} from '../../../../../../services/identity/providers/casdoor/engine-auth.ts';
import { readHint, readRecord } from '../../../../../../services/identity/providers/casdoor/hint.ts';
import { fixture } from '../../../../../support/casdoor.ts';

const auth = casdoorEngineAuth({
  issuer: 'https://door.example.com',
  audience: ['0123456789abcdef0123'],
  serviceUrl: 'http://identity:8081',
  webhookHeader: 'x-webhook-secret',
});

test('Hasura gets the keys through the relay, and roles that no token can change', () => {
  expect(auth.jwtSecret).toEqual({
    jwk_url: 'http://identity:8081/jwks/casdoor',
    issuer: 'https://door.example.com',
    audience: ['0123456789abcdef0123'],
    claims_map: {
      'x-hasura-allowed-roles': ['user'],
      'x-hasura-default-role': 'user',
      'x-hasura-user-id': { path: '$.sub' },
    },
  });
});

test('the webhook’s page is told the events that are read, and only these', () => {
  const text = auth.setup.map(({ what }) => what).join();
  for (const event of SUBSCRIBED_EVENTS) expect(text).toContain(event);
  const template = z.record(z.string(), z.unknown()).parse(JSON.parse(fixture('webhook.update-user.json')));
  for (const action of SUBSCRIBED_EVENTS) {
    const record = readRecord(JSON.stringify({ ...template, action }));
    expect(record && readHint(record), action).toBeDefined();
  }
  for (const action of ['logout', 'sso-logout', 'set-password', 'upload-users', 'add-permission']) {
    const record = readRecord(JSON.stringify({ ...template, action }));
    expect(record && readHint(record), action).toBeUndefined();
  }
});
