import {
  CLAIM_SETTINGS,
  type CustomClaim,
  cognitoAttribute,
  plainAttribute,
} from '@latchkey/core/settings/claims';
import { SECRET } from '@latchkey/tests/support/clerk';
import { describe, expect, test } from 'vitest';
import { readConfig } from '#config/read-config.ts';

const read = (text: string): readonly CustomClaim[] =>
  CLAIM_SETTINGS.parse({ LATCHKEY_CLAIMS: text }).LATCHKEY_CLAIMS;

test('none are listed where nothing is set', () => {
  for (const text of ['', ' ', ',']) expect(read(text)).toEqual([]);
});

test('a name is the variable’s, and the attribute’s where that is not named by itself', () => {
  expect(read(' plan, Tenant = tenant_id,')).toEqual([
    { variable: 'x-hasura-plan', attribute: 'plan', isExplicit: false },
    { variable: 'x-hasura-tenant', attribute: 'tenant_id', isExplicit: true },
  ]);
});

test.each<[string, string, string]>([
  ['plan', 'plan', 'custom:plan'],
  ['tenant=tenant_id', 'tenant_id', 'custom:tenant_id'],
  ['tenant=custom:tenant', 'tenant', 'custom:tenant'],
  ['tenant=dev:custom:tenant', 'tenant', 'dev:custom:tenant'],
  // A standard attribute only where it is meant: the team's own one may bear the same name.
  ['language=locale', 'locale', 'locale'],
  ['locale=locale', 'locale', 'locale'],
  ['locale', 'locale', 'custom:locale'],
])('%s is %s at Clerk and Casdoor, and %s at Cognito', (text, plain, cognito) => {
  const [claim] = read(text);
  if (claim === undefined) throw new Error('It is not read.');
  expect([plainAttribute(claim), cognitoAttribute(claim)]).toEqual([plain, cognito]);
});

describe('refused, with the variable and the fix', () => {
  const errorOf = (text: string): string => {
    const settings = {
      HASURA_GRAPHQL_ADMIN_SECRET: 's',
      CLERK_WEBHOOK_SECRET: SECRET,
      LATCHKEY_CLAIMS: text,
    };
    try {
      readConfig(settings);
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
    throw new Error(`${text} was accepted.`);
  };

  test.each([
    'role',
    'Role',
    'allowed-roles',
    'ALLOWED-ROLES=groups',
    'default-role',
    'user-id=sub',
    'admin-secret',
    'access-key',
    'use-backend-only-permissions',
    'org-id',
    'org-role',
    'org-ids',
    'identity-provider',
    'identity-anything',
  ])('is the name that means something already: %s', (text) => {
    const message = errorOf(`plan,${text}`);
    expect(message).toMatch(/^LATCHKEY_CLAIMS must not hold /);
    expect(message).toContain('choose another name');
  });

  test.each([
    'x y',
    '=plan',
    'plan=',
    'plan=a=b',
    'plan=a.b',
    "plan=a'b",
    'plan=$.password',
    'plan=custom:',
    'plän',
    '-plan',
    'plan={{user.id}}',
    'a'.repeat(64),
    `plan=${'a'.repeat(200)}`,
  ])('is what is no name: %s', (text) => {
    expect(errorOf(text)).toMatch(/^LATCHKEY_CLAIMS must be names with commas between them, such as/);
  });

  test('is a variable that is given twice', () => {
    expect(errorOf('plan,plan=tier')).toContain('must not give x-hasura-plan twice');
  });
});
