import type { CustomClaim } from '@latchkey/core/settings/claims';
import { createKeySource } from '#providers/key-source.ts';
import type { Provider } from '#providers/provider.ts';
import { createDiscovery } from './discovery.ts';
import { oidcEngineAuth } from './engine-auth.ts';
import { oidcProfile } from './profile.ts';
import type { OidcConfig } from './settings.ts';
import { oidcTokenVerifier, oidcVerifier } from './verify-token.ts';

/**
 * Any issuer of OpenID Connect. It has tokens alone: nobody can be listed, no webhook comes, and rows are written
 * by `syncMe`.
 */
export function createOidc(
  config: OidcConfig,
  { allowedRoles, claims }: { allowedRoles: readonly string[]; claims: readonly CustomClaim[] },
): Provider {
  const { issuer, keysUrl } = config;
  const discovery = createDiscovery(issuer);
  const keys = createKeySource({
    url: keysUrl ?? (async () => (await discovery.read()).jwks_uri),
    provider: 'OpenID Connect',
    fix: 'check OIDC_ISSUER (or OIDC_JWKS_URL) and the way to it',
  });
  const verify = oidcVerifier(config, keys);
  return {
    name: 'oidc',
    tokens: {
      engineAuth: () => oidcEngineAuth(config, claims),
      keys: keys.keys,
      verifyToken: oidcTokenVerifier(config, verify, { allowedRoles, claims }),
      profile: oidcProfile(issuer, verify, keysUrl === undefined ? discovery : undefined),
    },
  };
}
