import {
  AUDIENCE,
  type OidcIssuer,
  startOidcIssuer as startIssuer,
} from '@latchkey/tests/support/oidc-issuer';
import { createOidc } from '#providers/oidc/index.ts';
import type { OidcConfig } from '#providers/oidc/settings.ts';
import type { Provider } from '#providers/provider.ts';

export { AUDIENCE, SUBJECT } from '@latchkey/tests/support/oidc-issuer';

/** An issuer, and the provider that trusts it. */
export interface TrustedIssuer extends OidcIssuer {
  provider(changes?: Partial<OidcConfig>, context?: Partial<Parameters<typeof createOidc>[1]>): Provider;
}

/** @param path of its issuer, such as `/realms/app` or `/` */
export async function startOidcIssuer(path?: string): Promise<TrustedIssuer> {
  const started = await startIssuer(path);
  return Object.assign(started, {
    provider(changes: Partial<OidcConfig> = {}, context: Partial<Parameters<typeof createOidc>[1]> = {}) {
      const { issuer } = started;
      const config = { issuer, audience: [AUDIENCE], keysUrl: undefined, serviceUrl: 'http://identity:8081' };
      return createOidc({ ...config, ...changes }, { allowedRoles: [], claims: [], ...context });
    },
  });
}
