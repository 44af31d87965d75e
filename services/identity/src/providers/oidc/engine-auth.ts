import { type CustomClaim, plainAttribute } from '@latchkey/core/settings/claims';
import { CLOCK_SKEW_SECONDS } from '#providers/clock-skew.ts';
import type { EngineAuth } from '#providers/provider.ts';
import type { OidcConfig } from './settings.ts';

/** What tokens of any kind and for anybody look like is up to the issuer; Hasura looks only at what is there. */
const NEEDS_HOOK =
  'By itself Hasura lets pass a token of OpenID Connect that names no audience or does not expire, and any kind of token, such as a logout token: have Hasura ask the identity service (npx latchkey jwt-secret --strict).';

/**
 * How Hasura is made to trust an issuer, and what to enter on its screens.
 *
 * @param claims the claims that become session variables
 */
export function oidcEngineAuth(
  { issuer, audience, serviceUrl }: Pick<OidcConfig, 'issuer' | 'audience' | 'serviceUrl'>,
  claims: readonly CustomClaim[] = [],
): EngineAuth {
  return {
    issuers: [issuer],
    needsHook: NEEDS_HOOK,
    tenant: issuer,
    jwtSecret: {
      // The relay: where the issuer has its keys is known when it is asked.
      jwk_url: `${serviceUrl}/jwks/oidc`,
      issuer,
      audience,
      allowed_skew: CLOCK_SKEW_SECONDS,
      claims_map: {
        'x-hasura-allowed-roles': ['user'],
        'x-hasura-default-role': 'user',
        'x-hasura-user-id': { path: '$.sub' },
        'x-hasura-identity-provider': 'oidc',
        'x-hasura-identity-tenant': issuer,
        ...Object.fromEntries(
          claims.map((claim) => [claim.variable, { path: `$['${plainAttribute(claim)}']`, default: '' }]),
        ),
      },
    },
    setup: [
      {
        where: 'the client (application) that people sign in with',
        what: `Authorization code flow with PKCE; scopes openid, profile and email. Its tokens must be JWTs with an asymmetric signature, and name ${audience.join(' or ')} as their audience (aud).`,
      },
      {
        where: 'the token’s lifetime',
        what: 'A few minutes: nothing tells the service of who is disabled there, so they are out when their last token expires.',
      },
    ],
  };
}
