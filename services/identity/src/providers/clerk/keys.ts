import { createKeySource, type KeySource } from '#providers/key-source.ts';
import { keysUrl } from './engine-auth.ts';

/**
 * Where the keys of an issuer are read.
 *
 * @param issuer one of {@link clerkIssuers}
 */
export function clerkKeySource(issuer: string): KeySource {
  return createKeySource({
    url: keysUrl(issuer),
    provider: 'Clerk',
    fix: `check CLERK_PUBLISHABLE_KEY (or CLERK_FRONTEND_API_URL, CLERK_ISSUERS) and the way to ${keysUrl(issuer)}`,
  });
}
