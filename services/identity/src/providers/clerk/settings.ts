import { httpUrl, isAnySet, isSigningSecret, list, needed, setting } from '@latchkey/core/settings/fields';
import { z } from 'zod';
import { origins } from './origins.ts';

const ISSUER_FORM =
  'such as https://clerk.example.com, https://<slug>.clerk.accounts.dev or, behind a proxy, https://app.example.com/__clerk';

/** Several issuers with commas between them. */
const issuers = list.transform((texts, context) =>
  texts.flatMap((text, index) => {
    const issuer = readClerkIssuer(text);
    if (issuer !== undefined) return [issuer];
    context.addIssue(`must be issuers with commas between them, ${ISSUER_FORM}: number ${index + 1} is none`);
    return [];
  }),
);

/**
 * An issuer of Clerk's tokens, which is where its Frontend API is: a host of Clerk's, a domain of one's own, or
 * a proxy, which has a path.
 *
 * @returns without slashes at its end; undefined where it is not one
 */
export function readClerkIssuer(text: string): string | undefined {
  const url = URL.parse(text.trim());
  if (url === null || `${url.username}${url.password}${url.search}${url.hash}` !== '') return undefined;
  // Whoever can change the keys on their way can be anybody: plain http is for a stand-in on this machine.
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
  // With this it is where the keys are.
  if (!isSafe || url.pathname.includes('/.well-known')) return undefined;
  return url.origin + url.pathname.replace(/\/+$/, '');
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

export const CLERK_SETTINGS = z.object({
  // Clerk's dashboard, Configure → Webhooks → the endpoint → Signing Secret. Several, with commas
  // between them, while one replaces another.
  CLERK_WEBHOOK_SECRET: setting(
    list
      .refine(
        (secrets) => secrets.length > 0 && secrets.every(isSigningSecret),
        'must be whsec_… as Clerk shows it (Configure → Webhooks → the endpoint → Signing Secret); several with commas between them',
      )
      .optional(),
  ),
  // Clerk's dashboard, Configure → API keys. The issuer of Clerk's tokens follows from either.
  CLERK_PUBLISHABLE_KEY: setting(
    z
      .string()
      .regex(
        /^pk_(test|live)_[A-Za-z0-9+/_=-]+$/,
        'must be pk_test_… or pk_live_…, whole, as Clerk shows it (Configure → API keys)',
      )
      .optional(),
  ),
  // Wins where both are given. Behind a proxy it is the proxy's URL, with its path.
  CLERK_FRONTEND_API_URL: setting(
    z
      .string()
      .transform((text, context) => {
        const issuer = readClerkIssuer(text);
        if (issuer === undefined) context.addIssue(`must be where Clerk’s Frontend API is, ${ISSUER_FORM}`);
        return issuer ?? z.NEVER;
      })
      .optional(),
  ),
  // The other issuers of the same application: of satellite domains and proxies. Only where the auth hook
  // verifies tokens, for Hasura itself knows one.
  CLERK_ISSUERS: setting(issuers.default([])),
  // Only for reading Clerk's directory (reconcile) and for actions.
  CLERK_SECRET_KEY: setting(
    z
      .string()
      .regex(/^sk_/, 'must be sk_test_… or sk_live_… (Clerk’s dashboard, Configure → API keys)')
      .optional(),
  ),
  CLERK_API_URL: setting(
    httpUrl('https://api.clerk.com')
      .refine((url) => !url.endsWith('/v1'), 'must end before /v1, such as https://api.clerk.com')
      .default('https://api.clerk.com'),
  ),
  // The instance whose deliveries are accepted (ins_…, in each of them as instance_id); any that is signed if
  // not given.
  CLERK_INSTANCE_ID: setting(
    z
      .string()
      .regex(/^ins_\w+$/, 'must be ins_…, as deliveries name it in instance_id')
      .optional(),
  ),
  // The origins whose tokens are accepted (the token's azp), with commas between them; all if not given.
  // Tokens that were made without an Origin, by native apps and servers, have none and are refused.
  CLERK_AUTHORIZED_PARTIES: setting(origins.default([])),
});

/** What says who issues the tokens. Of the first two either is enough; the Frontend API URL wins. */
export interface ClerkTokenSettings {
  /** `pk_test_…` or `pk_live_…` */
  readonly publishableKey?: string | undefined;
  /** `https://clerk.<domain>`, `https://<slug>.clerk.accounts.dev`, or a proxy's URL with its path. */
  readonly frontendApiUrl?: string | undefined;
  /** Those of satellites and proxies. */
  readonly furtherIssuers?: readonly string[] | undefined;
}

export interface ClerkConfig extends ClerkTokenSettings {
  readonly webhookSecrets: readonly string[];
  readonly secretKey: string | undefined;
  readonly apiUrl: string;
  /** Empty if it is not given. */
  readonly instanceId: string;
  readonly authorizedParties: readonly string[];
}

/** The part that tokens are about, for which no secret is needed. */
export function clerkTokens(env: z.infer<typeof CLERK_SETTINGS>): ClerkTokenSettings {
  return {
    publishableKey: env.CLERK_PUBLISHABLE_KEY,
    frontendApiUrl: env.CLERK_FRONTEND_API_URL,
    furtherIssuers: env.CLERK_ISSUERS,
  };
}

/**
 * @returns undefined where Clerk is not set up
 * @throws LatchkeyError `configuration-invalid` where it is set up by half
 */
export function clerkConfig(env: z.infer<typeof CLERK_SETTINGS>): ClerkConfig | undefined {
  const own = [
    env.CLERK_WEBHOOK_SECRET,
    env.CLERK_PUBLISHABLE_KEY,
    env.CLERK_FRONTEND_API_URL,
    env.CLERK_SECRET_KEY,
  ];
  if (!isAnySet(own)) return undefined;
  return {
    webhookSecrets: needed(
      env.CLERK_WEBHOOK_SECRET,
      'CLERK_WEBHOOK_SECRET',
      'copy it from Clerk’s dashboard, Configure → Webhooks → the endpoint → Signing Secret',
    ),
    ...clerkTokens(env),
    secretKey: env.CLERK_SECRET_KEY,
    apiUrl: env.CLERK_API_URL,
    instanceId: env.CLERK_INSTANCE_ID ?? '',
    authorizedParties: env.CLERK_AUTHORIZED_PARTIES,
  };
}
