import { CLOCK_SKEW_SECONDS } from '#providers/clock-skew.ts';
import type { EngineAuth } from '#providers/provider.ts';
import { issuerOf, keysUrlOf, placesOf } from './pool.ts';
import type { CognitoTokens } from './settings.ts';

/** As Cognito's console names the versions that the AWS API calls V1_0 to V3_0. */
const TRIGGER_EVENT_VERSION = {
  V1_0: 'Basic features',
  V2_0: 'Basic features + access token customization for user identities',
  V3_0: 'Basic features + access token customization for user and machine identities',
} as const;

/** Hasura sees no tenant, and JWT mode takes one issuer. */
const SEVERAL_POOLS =
  'Hasura’s JWT mode trusts one issuer, and COGNITO_USER_POOL_ID names several pools, each with its own: let Hasura ask the identity service (npx latchkey jwt-secret --strict --write .env), or name one pool.';

/** How Hasura is made to trust user pools, and what to enter on Cognito's screens of each. */
export function cognitoEngineAuth(settings: CognitoTokens): EngineAuth {
  const { clientIds, tokenUse, triggerVersion } = settings;
  const [first, ...others] = placesOf(settings);
  return {
    issuers: [issuerOf(first), ...others.map(issuerOf)],
    jwtSecret: {
      jwk_url: keysUrlOf(first),
      issuer: issuerOf(first),
      // Access tokens carry no aud, which Hasura lets pass unchecked: this restricts ID tokens alone.
      audience: clientIds,
      // A V1_0 trigger can only add texts, so the claims are one text of JSON.
      ...(triggerVersion === 'V1_0' && { claims_format: 'stringified_json' as const }),
      allowed_skew: CLOCK_SKEW_SECONDS,
    },
    ...(others.length > 0 ? { needsHook: SEVERAL_POOLS } : { tenant: first.userPoolId }),
    setup: [
      {
        where: 'Amazon Cognito → User pools → the pool → Authentication → Extensions → Add Lambda trigger',
        what: `Trigger type: Authentication; Authentication: Pre token generation trigger; Trigger event version: ${TRIGGER_EVENT_VERSION[triggerVersion]}; Lambda function: the one below. Clients then send the ${tokenUse === 'id' ? 'ID' : 'access'} token.`,
        paste: 'latchkey-pre-token-generation',
      },
      {
        where: 'the same page → Add Lambda trigger, twice',
        what: 'Trigger type: Sign-up, Post confirmation trigger; then Trigger type: Authentication, Post authentication trigger. Lambda function of both: the one below.',
        paste: 'latchkey-forward-sign-in',
      },
      {
        where: 'Amazon EventBridge → Rules → Create rule → Event pattern → Custom pattern (JSON editor)',
        what: 'Paste deploy/cognito/event-rule.json; target: Lambda function latchkey-forward-event. npm run deploy:triggers does it, and makes the functions (docs/cognito.md).',
      },
    ],
  };
}
