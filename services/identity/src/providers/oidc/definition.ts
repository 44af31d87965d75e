import { plainAttribute } from '@latchkey/core/settings/claims';
import { defineProvider } from '#providers/definition.ts';
import { oidcEngineAuth } from './engine-auth.ts';
import { OIDC_SETTINGS, type OidcConfig, oidcConfig, oidcTokens } from './settings.ts';

declare module '#core/records.ts' {
  interface ProviderConfigMap {
    readonly oidc: OidcConfig;
  }
}

export const oidc = defineProvider({
  name: 'oidc',
  label: 'OpenID Connect',
  guide: 'docs/oidc.md',
  screens: "your provider's console",
  settings: OIDC_SETTINGS,
  signs: ['OIDC_ISSUER', 'OIDC_AUDIENCE'],
  flags: [
    {
      flag: 'oidc-issuer',
      variable: 'OIDC_ISSUER',
      placeholder: 'url',
      help: 'OpenID Connect: the issuer, letter for letter.',
    },
    {
      flag: 'oidc-audience',
      variable: 'OIDC_AUDIENCE',
      placeholder: 'id,…',
      help: 'OpenID Connect: whom the tokens are for (aud).',
    },
  ],
  facts: {
    choosesIds: 'An issuer of OpenID Connect chooses the ids of its users as it likes',
    attributeOf: plainAttribute,
    onlyTokens: 'OpenID Connect tells of people by their tokens alone (docs/oidc.md)',
    addressCaution:
      'Whether the word of an issuer of OpenID Connect is good depends on how it verifies addresses, and on who administers it: docs/adoption.md.',
  },
  config: oidcConfig,
  engineAuth: (env, { serviceUrl, claims }) => oidcEngineAuth({ ...oidcTokens(env), serviceUrl }, claims),
  async load() {
    const { createOidc } = await import('./index.ts');
    return { create: createOidc };
  },
});
