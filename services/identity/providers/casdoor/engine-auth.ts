import type { CasdoorConfig } from '../../core/config.ts';
import type { EngineAuth } from '../provider.ts';

/** The events that are kept in step. `logout` and the others change nothing here. */
export const SUBSCRIBED_EVENTS = [
  'signup',
  'login',
  'new-user',
  'new-user-ldap',
  'new-user-syncer',
  'add-user',
  'update-user',
  'delete-user',
  'remove-user-from-group',
  'reset-email-or-phone',
  'add-organization',
  'update-organization',
  'delete-organization',
  'add-group',
  'update-group',
  'delete-group',
  'add-role',
  'update-role',
  'delete-role',
] as const;

/** How Hasura is made to trust Casdoor, and what to enter on Casdoor's screens. */
export function casdoorEngineAuth(
  config: Pick<CasdoorConfig, 'issuer' | 'audience' | 'serviceUrl' | 'webhookHeader'>,
): EngineAuth {
  const { issuer, audience, serviceUrl, webhookHeader } = config;
  return {
    issuers: [issuer],
    jwtSecret: {
      // The relay: Casdoor sends no Cache-Control with its keys, and without it Hasura never asks again.
      jwk_url: `${serviceUrl}/jwks/casdoor`,
      issuer,
      // Every application of the server has the same issuer, and usually the same key.
      audience,
      // Literals, for in most token formats roles are no strings, and a Casdoor role called admin must
      // never become Hasura's.
      claims_map: {
        'x-hasura-allowed-roles': ['user'],
        'x-hasura-default-role': 'user',
        'x-hasura-user-id': { path: '$.sub' },
      },
    },
    setup: [
      {
        where: 'Identity → Applications → the application',
        what: 'Token format: JWT-Empty or JWT-Standard. The default, JWT, puts the password’s salt into every token, and refresh tokens of JWT-Custom pass for access tokens.',
      },
      {
        where: 'Admin → Webhooks → Add',
        what: `URL: the public address of the identity service, then the path below. Method: POST; Content type: application/json; Headers: ${webhookHeader} with the value of CASDOOR_WEBHOOK_SECRET; Events: ${SUBSCRIBED_EVENTS.join(', ')}; Object fields: owner, name and id; Is user extended: off; Single org only: off; Is enabled: on.`,
        paste: '/webhooks/casdoor',
      },
      {
        where: 'the machine that Casdoor runs on',
        what: 'Restart Casdoor after adding its first webhook: only then does it begin to send.',
      },
    ],
  };
}
