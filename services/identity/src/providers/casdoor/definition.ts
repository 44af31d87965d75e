import { plainAttribute } from '@latchkey/core/settings/claims';
import { defineProvider } from '#providers/definition.ts';
import { casdoorEngineAuth } from './engine-auth.ts';
import { CASDOOR_SETTINGS, type CasdoorConfig, casdoorConfig, casdoorTokens } from './settings.ts';

declare module '#core/records.ts' {
  interface ProviderConfigMap {
    readonly casdoor: CasdoorConfig;
  }
}

export const casdoor = defineProvider({
  name: 'casdoor',
  label: 'Casdoor',
  guide: 'docs/casdoor.md',
  screens: "Casdoor's pages",
  settings: CASDOOR_SETTINGS,
  signs: ['CASDOOR_ENDPOINT', 'CASDOOR_ISSUER', 'CASDOOR_CLIENT_ID'],
  flags: [
    {
      flag: 'casdoor-issuer',
      variable: 'CASDOOR_ISSUER',
      placeholder: 'url',
      help: 'Casdoor: the origin of its app.conf.',
    },
    {
      flag: 'casdoor-client',
      variable: 'CASDOOR_AUDIENCE',
      placeholder: 'id,…',
      help: 'Casdoor: the Client IDs.',
    },
    {
      flag: 'casdoor-organization',
      variable: 'CASDOOR_ORGANIZATIONS',
      placeholder: 'name,…',
      help: 'Casdoor: the organizations that are kept; all without it.',
    },
  ],
  facts: {
    choosesIds: 'Casdoor lets administrators choose the ids of their users',
    attributeOf: plainAttribute,
    activeOrganization: 'tenant',
    addressCaution: 'Whether Casdoor’s word is good depends on its version and settings: docs/adoption.md.',
  },
  config: (env, { serviceUrl, claims }) => casdoorConfig(env, serviceUrl, claims.map(plainAttribute)),
  engineAuth: (env, { serviceUrl, claims }) =>
    casdoorEngineAuth({ ...casdoorTokens(env), serviceUrl }, claims),
  async load() {
    const { createCasdoor } = await import('./index.ts');
    return { create: (config, { stored, allowedRoles }) => createCasdoor(config, stored, allowedRoles) };
  },
});
