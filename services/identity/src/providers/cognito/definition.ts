import { cognitoAttribute } from '@latchkey/core/settings/claims';
import { defineProvider } from '#providers/definition.ts';
import { cognitoEngineAuth } from './engine-auth.ts';
import { COGNITO_SETTINGS, type CognitoConfig, cognitoConfig, cognitoTokens } from './settings.ts';

declare module '#core/records.ts' {
  interface ProviderConfigMap {
    readonly cognito: CognitoConfig;
  }
}

export const cognito = defineProvider({
  name: 'cognito',
  label: 'Cognito',
  guide: 'docs/cognito.md',
  screens: "Amazon's console",
  settings: COGNITO_SETTINGS,
  signs: ['COGNITO_USER_POOL_ID', 'COGNITO_CLIENT_IDS'],
  flags: [
    {
      flag: 'cognito-pool',
      variable: 'COGNITO_USER_POOL_ID',
      placeholder: 'id',
      help: 'Cognito: the User pool ID.',
    },
    {
      flag: 'cognito-client',
      variable: 'COGNITO_CLIENT_IDS',
      placeholder: 'id,…',
      help: 'Cognito: the Client IDs.',
    },
  ],
  facts: { attributeOf: cognitoAttribute },
  config: (env, { claims }) => cognitoConfig(env, claims.map(cognitoAttribute)),
  engineAuth: (env) => cognitoEngineAuth(cognitoTokens(env)),
  async load() {
    const { createCognito } = await import('./index.ts');
    return { create: (config, { stored, allowedRoles }) => createCognito(config, stored, allowedRoles) };
  },
});
