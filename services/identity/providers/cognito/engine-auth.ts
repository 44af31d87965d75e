import type { CognitoConfig } from '../../core/config.ts';
import type { EngineAuth } from '../provider.ts';
import { issuerOf, keysUrlOf } from './pool.ts';

type TokenSettings = Pick<
  CognitoConfig,
  'userPoolId' | 'endpoint' | 'clientIds' | 'tokenUse' | 'triggerVersion'
>;

/** As Cognito's console names the versions that the AWS API calls V1_0 to V3_0. */
const TRIGGER_EVENT_VERSION = {
  V1_0: 'Basic features',
  V2_0: 'Basic features + access token customization for user identities',
  V3_0: 'Basic features + access token customization for user and machine identities',
} as const;

/** How Hasura is made to trust a user pool, and what to enter on Cognito's screens. */
export function cognitoEngineAuth(settings: TokenSettings): EngineAuth {
  const { clientIds, tokenUse, triggerVersion } = settings;
  const issuer = issuerOf(settings);
  return {
    issuers: [issuer],
    jwtSecret: {
      jwk_url: keysUrlOf(settings),
      issuer,
      // Access tokens carry no aud, which Hasura lets pass unchecked: this restricts ID tokens alone.
      audience: clientIds,
      // A V1_0 trigger can only add texts, so the claims are one text of JSON.
      ...(triggerVersion === 'V1_0' && { claims_format: 'stringified_json' as const }),
    },
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
        what: 'Paste deploy/cognito/event-rule.json; target: Lambda function latchkey-forward-event. docs/cognito.md has all of this as AWS CLI lines.',
      },
    ],
  };
}
