import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '@latchkey/local/environment';
import { describe, expect, test } from 'vitest';
import { VARIABLES } from '#config/read-config.ts';
import { jwtModeProblem } from '#providers/engine-auth.ts';
import { definitionOf, PROVIDER_NAMES, PROVIDERS } from '#providers/registry.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'src', 'providers');
/** Enough for each to say how Hasura trusts it. */
const ENVIRONMENT = {
  CLERK_FRONTEND_API_URL: 'https://clerk.example.com',
  CASDOOR_ENDPOINT: 'https://door.example.com',
  CASDOOR_CLIENT_ID: 'door',
  CASDOOR_ORGANIZATIONS: 'acme',
  COGNITO_USER_POOL_ID: 'eu-west-1_AbCdEfGhI',
  COGNITO_CLIENT_IDS: 'pool-client',
  OIDC_ISSUER: 'https://login.example.com',
  OIDC_AUDIENCE: 'api',
};
const CONTEXT = { serviceUrl: 'http://identity:8081', claims: [] };
const trusted = (...names: string[]) =>
  PROVIDERS.flatMap((definition) =>
    names.includes(definition.name)
      ? [{ name: definition.name, auth: definition.engineAuth(ENVIRONMENT, CONTEXT) }]
      : [],
  );

test('every folder is a provider of the registry, and every provider a folder', () => {
  const folders = readdirSync(FOLDER, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).sort()).toEqual([...PROVIDER_NAMES].sort());
});

describe.each(PROVIDERS.map((definition) => [definition.name, definition] as const))(
  '%s',
  (name, definition) => {
    test('has a guide, variables of its own, and signs among them', () => {
      expect(existsSync(join(PROJECT_ROOT, definition.guide))).toBe(true);
      expect(definition.variables).toEqual(expect.arrayContaining([...definition.signs]));
      expect(VARIABLES).toEqual(expect.arrayContaining([...definition.variables]));
      expect(
        definition.flags.map(({ variable }) => variable).filter((one) => !definition.variables.includes(one)),
      ).toEqual([]);
      expect(definitionOf(name)).toBe(definition);
    });

    test('is in .env.example and in the compose file with what makes it up', () => {
      for (const file of ['.env.example', 'docker-compose.yml']) {
        const text = readFileSync(join(PROJECT_ROOT, file), 'utf8');
        for (const variable of definition.signs) expect(text, file).toContain(variable);
      }
    });

    test('says how Hasura trusts it, with no secret', () => {
      const { issuers, jwtSecret, setup } = definition.engineAuth(ENVIRONMENT, CONTEXT);
      expect(issuers[0]).toBe(jwtSecret.issuer);
      expect(setup.length).toBeGreaterThan(0);
    });
  },
);

test('no variable and no flag is of two providers', () => {
  const variables = PROVIDERS.flatMap((definition) => definition.variables);
  const flags = PROVIDERS.flatMap((definition) => definition.flags.map(({ flag }) => flag));
  expect(new Set(variables).size).toBe(variables.length);
  expect(new Set(flags).size).toBe(flags.length);
});

describe('Hasura’s JWT mode, which sees an id and not whose it is, is refused', () => {
  test('OpenID Connect, alone and beside any other', () => {
    expect(jwtModeProblem(trusted('oidc'))).toContain('--strict');
    for (const other of ['clerk', 'casdoor', 'cognito']) {
      expect(jwtModeProblem(trusted('oidc', other))).toContain('--strict');
    }
  });

  test('whoever chooses ids beside anybody else', () => {
    expect(jwtModeProblem(trusted('casdoor', 'clerk'))).toContain('those of clerk too');
    const oidc = trusted('oidc').map(({ name, auth }) => ({ name, auth: { ...auth, needsHook: undefined } }));
    expect(jwtModeProblem([...oidc, ...trusted('clerk')])).toContain('those of clerk too');
    expect(jwtModeProblem([...oidc, ...trusted('casdoor')])).toContain('--strict');
    expect(jwtModeProblem(oidc)).toBeUndefined();
    expect(jwtModeProblem(trusted('clerk', 'cognito'))).toBeUndefined();
  });
});
