import { LatchkeyError } from '../../core/errors.ts';
import { CLAIMS_NAMESPACE } from '../claims.ts';
import { createKeySource, type KeySource } from '../key-source.ts';
import type { EngineAuth } from '../provider.ts';

/** Either is enough; the Frontend API URL wins. */
export interface ClerkIssuer {
  /** `pk_test_…` or `pk_live_…` */
  readonly publishableKey?: string | undefined;
  /** `https://clerk.<domain>` or `https://<slug>.clerk.accounts.dev` */
  readonly frontendApiUrl?: string | undefined;
}

/** The events that are kept in step; Clerk sends no others if only these are ticked. */
export const SUBSCRIBED_EVENTS = [
  'user.*',
  'session.*',
  'organization.*',
  'organizationMembership.*',
] as const;

// Without "|| ''" a user with no active organization gets null, and Hasura refuses the whole token.
const TEMPLATE = {
  [CLAIMS_NAMESPACE]: {
    'x-hasura-allowed-roles': ['user'],
    'x-hasura-default-role': 'user',
    'x-hasura-user-id': '{{user.id}}',
    'x-hasura-org-id': "{{org.id || ''}}",
    'x-hasura-org-role': "{{org.role || ''}}",
  },
};

/**
 * The issuer of a Clerk application's tokens, which is its Frontend API URL.
 * A publishable key holds it: base64 of `<host>$`.
 *
 * @example clerkIssuer({ publishableKey: 'pk_test_Y2xlcmsuZXhhbXBsZS5jb20k' }) // 'https://clerk.example.com'
 * @throws LatchkeyError `configuration-invalid`
 */
export function clerkIssuer({ publishableKey, frontendApiUrl }: ClerkIssuer): string {
  if (frontendApiUrl !== undefined) return originOf(frontendApiUrl);
  if (publishableKey !== undefined) return `https://${hostOf(publishableKey)}`;
  throw new LatchkeyError(
    'configuration-invalid',
    'CLERK_PUBLISHABLE_KEY is missing: copy it from Clerk’s dashboard, Configure → API keys (or set CLERK_FRONTEND_API_URL).',
  );
}

/** How Hasura is made to trust a Clerk application, and what to enter on Clerk's screens. */
export function clerkEngineAuth(settings: ClerkIssuer): EngineAuth {
  const issuer = clerkIssuer(settings);
  return {
    issuers: [issuer],
    jwtSecret: { jwk_url: keysUrl(issuer), issuer },
    setup: [
      {
        where: 'Configure → JWT templates → New template → Blank',
        what: 'Name it hasura and replace the claims with these. Clients then call getToken({ template: "hasura" }).',
        paste: JSON.stringify(TEMPLATE, null, 2),
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

/** @param issuer the Frontend API URL */
export function clerkKeySource(issuer: string): KeySource {
  return createKeySource({
    url: keysUrl(issuer),
    provider: 'Clerk',
    mend: 'check CLERK_PUBLISHABLE_KEY (or CLERK_FRONTEND_API_URL) and the way to it',
  });
}

const keysUrl = (issuer: string): string => `${issuer}/.well-known/jwks.json`;

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

function originOf(frontendApiUrl: string): string {
  const url = URL.parse(frontendApiUrl);
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
  if (url === null || !isSafe || url.pathname !== '/' || url.search !== '' || url.username !== '') {
    throw new LatchkeyError(
      'configuration-invalid',
      'CLERK_FRONTEND_API_URL is not a Frontend API URL: it looks like https://clerk.example.com or https://<slug>.clerk.accounts.dev.',
    );
  }
  return url.origin;
}

/** Plain http is for a stand-in on this machine: whoever can change the keys on their way can be anybody. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
