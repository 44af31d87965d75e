import { LatchkeyError } from '../services/identity/core/errors.ts';
import { clerkEngineAuth } from '../services/identity/providers/clerk/engine-auth.ts';
import type { EngineAuth } from '../services/identity/providers/provider.ts';
import { defineCommand } from './command.ts';
import { environmentWithDotEnv } from './environment.ts';

export const jwtSecret = defineCommand({
  name: 'jwt-secret',
  description: `
Prints HASURA_GRAPHQL_JWT_SECRET, with which Hasura trusts the tokens of your Clerk application, and
what to paste into Clerk's dashboard. The setting goes to standard output, the rest beside it, so
that it can be piped: npx latchkey jwt-secret --env >> .env

The application is named by its publishable key or its Frontend API URL (both under Configure → API
keys), given here or in CLERK_PUBLISHABLE_KEY or CLERK_FRONTEND_API_URL. Nothing is fetched.`,
  options: {
    'publishable-key': { type: 'string', placeholder: 'pk_…', help: 'The publishable key.' },
    'frontend-api': { type: 'string', placeholder: 'url', help: 'The Frontend API URL.' },
    env: { type: 'boolean', help: 'Print a line for .env, which shells and Docker Compose read alike.' },
    quiet: { type: 'boolean', short: 'q', help: 'Print the setting alone.' },
  },
  async run(values) {
    const environment = environmentWithDotEnv();
    const given = values['publishable-key'] !== undefined || values['frontend-api'] !== undefined;
    const auth = clerkEngineAuth(
      given
        ? { publishableKey: values['publishable-key'], frontendApiUrl: values['frontend-api'] }
        : {
            publishableKey: environment.CLERK_PUBLISHABLE_KEY,
            frontendApiUrl: environment.CLERK_FRONTEND_API_URL,
          },
    );
    const json = JSON.stringify(auth.jwtSecret);
    console.log(values.env === true ? envLine('HASURA_GRAPHQL_JWT_SECRET', json) : json);
    if (values.quiet !== true) console.error(setupText(auth));
    return 0;
  },
});

/**
 * A line for a `.env` file. In single quotes nothing is expanded, neither by a shell that sources
 * the file nor by Docker Compose nor by Node; a value cannot hold one itself there.
 */
export function envLine(name: string, value: string): string {
  if (/['\n]/.test(value)) {
    throw new LatchkeyError('configuration-invalid', `The value of ${name} holds a quote or a line break.`);
  }
  return `${name}='${value}'`;
}

function setupText({ issuer, setup }: EngineAuth): string {
  const steps = setup.flatMap(({ where, what, paste }, index) => [
    '',
    `${index + 1}. ${where}`,
    `   ${what}`,
    ...(paste === undefined ? [] : ['', ...paste.split('\n').map((line) => `     ${line}`)]),
  ]);
  return ['', `Hasura will trust tokens of ${issuer}. In Clerk's dashboard:`, ...steps].join('\n');
}
