import { z } from 'zod';
import { httpUrl, isAnySet, isSigningSecret, list, needed, setting } from './kit.ts';

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
  CLERK_FRONTEND_API_URL: setting(httpUrl('https://clerk.example.com').optional()),
  // Only for reading Clerk's directory (reconcile) and for actions.
  CLERK_SECRET_KEY: setting(
    z
      .string()
      .regex(/^sk_/, 'must be sk_test_… or sk_live_… (Clerk’s dashboard, Configure → API keys)')
      .optional(),
  ),
  CLERK_API_URL: setting(httpUrl('https://api.clerk.com').default('https://api.clerk.com')),
  // The instance whose deliveries are accepted (ins_…, in each of them as instance_id); any that is signed if
  // not given.
  CLERK_INSTANCE_ID: setting(
    z
      .string()
      .regex(/^ins_\w+$/, 'must be ins_…, as deliveries name it in instance_id')
      .optional(),
  ),
  // The origins whose tokens are accepted (the token's azp), with commas between them; all if not given.
  CLERK_AUTHORIZED_PARTIES: setting(list.default([])),
});

export interface ClerkConfig {
  readonly webhookSecrets: readonly string[];
  readonly publishableKey: string | undefined;
  readonly frontendApiUrl: string | undefined;
  readonly secretKey: string | undefined;
  readonly apiUrl: string;
  /** Empty if it is not given. */
  readonly instanceId: string;
  readonly authorizedParties: readonly string[];
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
    publishableKey: env.CLERK_PUBLISHABLE_KEY,
    frontendApiUrl: env.CLERK_FRONTEND_API_URL,
    secretKey: env.CLERK_SECRET_KEY,
    apiUrl: env.CLERK_API_URL,
    instanceId: env.CLERK_INSTANCE_ID ?? '',
    authorizedParties: env.CLERK_AUTHORIZED_PARTIES,
  };
}
