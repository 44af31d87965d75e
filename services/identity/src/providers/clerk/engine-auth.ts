import { LatchkeyError } from '@latchkey/core/errors';
import { CLAIMS_NAMESPACE } from '@latchkey/core/jwt-secret';
import { type CustomClaim, plainAttribute } from '@latchkey/core/settings/claims';
import { CLOCK_SKEW_SECONDS } from '#providers/clock-skew.ts';
import type { EngineAuth } from '#providers/provider.ts';
import { type ClerkTokenSettings, readClerkIssuer } from './settings.ts';

/** The events that are kept in step; Clerk sends no others if only these are ticked. */
export const SUBSCRIBED_EVENTS = [
  'user.*',
  'session.*',
  'organization.*',
  'organizationMembership.*',
] as const;

/**
 * What the tokens claim. Without "|| ''" a user with no active organization, or without an attribute, gets null,
 * and Hasura refuses the whole token.
 */
function template(claims: readonly CustomClaim[]): Record<string, unknown> {
  const listed = claims.map((claim) => {
    const attribute = plainAttribute(claim);
    return [claim.variable, `{{user.public_metadata.${attribute} || ''}}`] as const;
  });
  return {
    [CLAIMS_NAMESPACE]: {
      'x-hasura-allowed-roles': ['user'],
      'x-hasura-default-role': 'user',
      'x-hasura-user-id': '{{user.id}}',
      'x-hasura-org-id': "{{org.id || ''}}",
      'x-hasura-org-role': "{{org.role || ''}}",
      // For actions, which go by whose token it is.
      'x-hasura-identity-provider': 'clerk',
      ...Object.fromEntries(listed),
    },
  };
}

/**
 * The issuer of a Clerk application's tokens, which is its Frontend API URL.
 * A publishable key holds it: base64 of `<host>$`.
 *
 * @example clerkIssuer({ publishableKey: 'pk_test_Y2xlcmsuZXhhbXBsZS5jb20k' }) // 'https://clerk.example.com'
 * @throws LatchkeyError `configuration-invalid`
 */
export function clerkIssuer({ publishableKey, frontendApiUrl }: ClerkTokenSettings): string {
  if (frontendApiUrl !== undefined) {
    const issuer = readClerkIssuer(frontendApiUrl);
    if (issuer !== undefined) return issuer;
    throw new LatchkeyError(
      'configuration-invalid',
      'CLERK_FRONTEND_API_URL is not a Frontend API URL: it looks like https://clerk.example.com, https://<slug>.clerk.accounts.dev or, behind a proxy, https://app.example.com/__clerk.',
    );
  }
  if (publishableKey !== undefined) return `https://${hostOf(publishableKey)}`;
  throw new LatchkeyError(
    'configuration-invalid',
    'CLERK_PUBLISHABLE_KEY is missing: copy it from Clerk’s dashboard, Configure → API keys (or set CLERK_FRONTEND_API_URL).',
  );
}

/**
 * The issuers whose tokens are accepted; the first is the one that Hasura itself can trust.
 *
 * @throws LatchkeyError `configuration-invalid`
 */
export function clerkIssuers(settings: ClerkTokenSettings): [string, ...string[]] {
  const first = clerkIssuer(settings);
  const others = new Set(settings.furtherIssuers);
  others.delete(first);
  return [first, ...others];
}

/**
 * How Hasura is made to trust a Clerk application, and what to enter on Clerk's screens.
 *
 * @param claims the attributes of the users' public metadata that become session variables
 */
export function clerkEngineAuth(
  settings: ClerkTokenSettings,
  claims: readonly CustomClaim[] = [],
): EngineAuth {
  const [issuer, ...others] = clerkIssuers(settings);
  return {
    issuers: [issuer, ...others],
    jwtSecret: { jwk_url: keysUrl(issuer), issuer, allowed_skew: CLOCK_SKEW_SECONDS },
    ...(others.length > 0 && {
      notes: [
        `By itself Hasura trusts tokens of one issuer, ${issuer}. Tokens of ${others.join(', ')} (CLERK_ISSUERS) pass where the identity service verifies them: npx latchkey jwt-secret --strict prints the setting for that.`,
      ],
    }),
    setup: [
      {
        where: 'Configure → JWT templates → New template → Blank',
        what: 'Name it hasura and replace the claims with these. Clients then call getToken({ template: "hasura" }).',
        paste: JSON.stringify(template(claims), null, 2),
      },
      {
        where: 'Configure → Webhooks → Add Endpoint',
        what: `Endpoint URL: the public address of the identity service, then the path below. Subscribe to events: ${SUBSCRIBED_EVENTS.join(', ')}.`,
        paste: '/webhooks/clerk',
      },
      {
        where: 'Configure → Webhooks → the endpoint → Signing Secret',
        what: 'Copy it into CLERK_WEBHOOK_SECRET of the identity service.',
      },
    ],
  };
}

/** @param issuer one of {@link clerkIssuers} */
export const keysUrl = (issuer: string): string => `${issuer}/.well-known/jwks.json`;

function hostOf(publishableKey: string): string {
  const encoded = /^pk_(?:test|live)_([A-Za-z0-9+/_-]+=*)$/.exec(publishableKey)?.[1] ?? '';
  const host = /^([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)\$$/i.exec(
    Buffer.from(encoded, 'base64').toString('latin1'),
  )?.[1];
  if (host === undefined) {
    throw new LatchkeyError(
      'configuration-invalid',
      'CLERK_PUBLISHABLE_KEY is not a publishable key: it begins with pk_test_ or pk_live_; copy it whole from Clerk’s dashboard, Configure → API keys.',
    );
  }
  return host.toLowerCase();
}
