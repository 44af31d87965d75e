import type { JwtSecret } from '@latchkey/core/jwt-secret';
import { type CustomClaim, plainAttribute } from '@latchkey/core/settings/claims';
import { CLOCK_SKEW_SECONDS } from '#providers/clock-skew.ts';
import type { EngineAuth } from '#providers/provider.ts';
import type { CasdoorConfig } from './settings.ts';

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
  // An avatar, of which nothing else tells.
  'upload-resource',
  // Many at once: a reconcile brings them.
  'upload-users',
  'upload-groups',
  'upload-roles',
  'sync-ldap-users',
  'run-syncer',
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

type Settings = Pick<CasdoorConfig, 'issuer' | 'audience' | 'serviceUrl' | 'webhookHeader' | 'organizations'>;

/**
 * How Hasura is made to trust Casdoor, and what to enter on Casdoor's screens.
 *
 * @param claims the users' properties that become session variables
 */
export function casdoorEngineAuth(config: Settings, claims: readonly CustomClaim[] = []): EngineAuth {
  const { issuer, audience, serviceUrl, webhookHeader, organizations } = config;
  const [organization, ...others] = organizations;
  return {
    issuers: [issuer],
    needsHook: reasonForHook(config),
    tenant: others.length === 0 ? organization : undefined,
    jwtSecret: {
      // The relay: Casdoor sends no Cache-Control with its keys, and without it Hasura never asks again.
      jwk_url: `${serviceUrl}/jwks/casdoor`,
      issuer,
      // Every application of the server has the same issuer, and usually the same key.
      audience,
      allowed_skew: CLOCK_SKEW_SECONDS,
      // Literals, for in most token formats roles are no strings, and a Casdoor role called admin must
      // never become Hasura's.
      claims_map: {
        'x-hasura-allowed-roles': ['user'],
        'x-hasura-default-role': 'user',
        'x-hasura-user-id': { path: '$.sub' },
        // For actions, which go by whose token it is.
        'x-hasura-identity-provider': 'casdoor',
        'x-hasura-identity-tenant': { path: '$.owner' },
        ...claimsMap(claims),
      },
    },
    setup: [
      {
        where: 'the machine that Casdoor runs on: conf/app.conf',
        what: `The address that people use, which becomes the issuer of the tokens: without it the issuer is whatever host name a request came to. Restart Casdoor afterwards.`,
        paste: `origin = ${issuer}`,
      },
      {
        where: 'Identity → Applications → the application → OIDC/OAuth',
        what: 'Token format: JWT-Empty or JWT-Standard. The default, JWT, puts the password’s salt into every token, and refresh tokens of JWT-Custom pass for access tokens; JWT-Custom needs Owner and Name among its Token fields and, for roles, an attribute roles (category Existing Field, value Roles, type Array).',
      },
      {
        where: 'Identity → Applications → the application → Security',
        what: 'Token cert: one of your own, or the built-in one; it must not be empty, or Casdoor hands out everybody’s keys as the application’s.',
      },
      {
        where: 'Admin → Webhooks → Add',
        what: `URL: the public address of the identity service, then the path below. Method: POST; Content type: application/json; Headers: ${webhookHeader} with the value of CASDOOR_WEBHOOK_SECRET; Events: ${SUBSCRIBED_EVENTS.join(', ')}; Token fields: none; Object fields: owner, name and id; Is user extended: off; Single org only: off; Is enabled: on.`,
        paste: '/webhooks/casdoor',
      },
      {
        where: 'the machine that Casdoor runs on',
        what: 'Restart Casdoor after adding its first webhook: only then does it begin to send.',
      },
    ],
  };
}

/** Hasura sees the id alone, and which organization may choose it. */
function reasonForHook({ organizations, audience }: Pick<Settings, 'organizations' | 'audience'>) {
  const several =
    (audience.some((client) => client.includes('-org-')) &&
      'CASDOOR_AUDIENCE names a shared application (<Client ID>-org-<organization>)') ||
    (organizations.length === 0 && 'CASDOOR_ORGANIZATIONS is empty, which means all organizations') ||
    (organizations.length > 1 && 'CASDOOR_ORGANIZATIONS names several organizations');
  return several
    ? `${several}, and Hasura’s JWT mode sees the id of a user and not whose it is: an administrator of one organization may choose the id of another’s user. Have Hasura ask the identity service (npx latchkey jwt-secret --strict), or set CASDOOR_ORGANIZATIONS to one organization with an application of its own.`
    : undefined;
}

/** Of the token formats JWT alone carries properties; in the others each is empty. */
function claimsMap(claims: readonly CustomClaim[]): NonNullable<JwtSecret['claims_map']> {
  return Object.fromEntries(
    claims.map((claim) => [
      claim.variable,
      { path: `$.properties['${plainAttribute(claim)}']`, default: '' },
    ]),
  );
}
