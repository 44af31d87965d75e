import { plainAttribute } from '@latchkey/core/settings/claims';
import { defineProvider } from '#providers/definition.ts';
import { clerkEngineAuth } from './engine-auth.ts';
import { CLERK_SETTINGS, type ClerkConfig, clerkConfig, clerkTokens } from './settings.ts';

declare module '#core/records.ts' {
  interface ProviderConfigMap {
    readonly clerk: ClerkConfig;
  }
}

/** Either names the application: one that is given replaces both. */
const replaces = ['CLERK_PUBLISHABLE_KEY', 'CLERK_FRONTEND_API_URL'];

export const clerk = defineProvider({
  name: 'clerk',
  label: 'Clerk',
  guide: 'docs/clerk.md',
  screens: "Clerk's dashboard",
  settings: CLERK_SETTINGS,
  signs: ['CLERK_WEBHOOK_SECRET', 'CLERK_PUBLISHABLE_KEY', 'CLERK_FRONTEND_API_URL'],
  flags: [
    {
      flag: 'publishable-key',
      variable: 'CLERK_PUBLISHABLE_KEY',
      placeholder: 'pk_…',
      help: 'Clerk: the publishable key.',
      replaces,
    },
    {
      flag: 'frontend-api',
      variable: 'CLERK_FRONTEND_API_URL',
      placeholder: 'url',
      help: 'Clerk: the Frontend API URL, instead.',
      replaces,
    },
  ],
  facts: { attributeOf: plainAttribute, activeOrganization: 'claims' },
  config: clerkConfig,
  engineAuth: (env, { claims }) => clerkEngineAuth(clerkTokens(env), claims),
  async load() {
    const { createClerk } = await import('./index.ts');
    return { create: (config, { allowedRoles }) => createClerk(config, allowedRoles) };
  },
});
