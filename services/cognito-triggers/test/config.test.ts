import { SECRET } from '@latchkey/tests/support/cognito';
import { expect, test } from 'vitest';
import { readClaimsConfig, readForwardingConfig } from '#config.ts';

test('with no settings everybody is a user and machines are nothing', () => {
  expect(readClaimsConfig({})).toEqual({
    config: {
      allowedRoles: new Set(),
      groupRoles: new Map(),
      machineRoles: new Map(),
      claims: [],
      keepsFederatedGroups: false,
      hasura: undefined,
    },
  });
});

test('roles, renamed groups and machines are lists', () => {
  const { config } = readClaimsConfig({
    LATCHKEY_ALLOWED_ROLES: 'editor, viewer',
    LATCHKEY_GROUP_ROLES: 'content-team=editor, a=b=viewer',
    LATCHKEY_MACHINE_ROLES: 'client1=importer,client1=exporter,client2=importer',
    LATCHKEY_ROLES_QUERY: 'query ($id: String!) { x }',
    HASURA_GRAPHQL_ENDPOINT: 'https://hasura.example.com/',
    HASURA_GRAPHQL_ADMIN_SECRET: 'secret',
  });
  expect(config?.allowedRoles).toEqual(new Set(['editor', 'viewer']));
  expect(config?.groupRoles).toEqual(
    new Map([
      ['content-team', 'editor'],
      ['a=b', 'viewer'],
    ]),
  );
  expect(config?.machineRoles).toEqual(
    new Map([
      ['client1', ['importer', 'exporter']],
      ['client2', ['importer']],
    ]),
  );
  expect(config?.hasura?.endpoint).toBe('https://hasura.example.com');
});

test.each<[Record<string, string>, RegExp]>([
  [{ LATCHKEY_ALLOWED_ROLES: 'editor,admin' }, /LATCHKEY_ALLOWED_ROLES must not hold the role admin/],
  [{ LATCHKEY_ALLOWED_ROLES: 'Admin' }, /LATCHKEY_ALLOWED_ROLES must not hold the role admin/],
  [
    { LATCHKEY_ALLOWED_ROLES: 'editor', LATCHKEY_GROUP_ROLES: 'admins= ADMIN ' },
    /LATCHKEY_GROUP_ROLES must not hold the role admin/,
  ],
  [{ LATCHKEY_MACHINE_ROLES: 'client1=admin' }, /LATCHKEY_MACHINE_ROLES must not hold the role admin/],
  [{ LATCHKEY_MACHINE_ROLES: 'client1' }, /LATCHKEY_MACHINE_ROLES must look like/],
  [{ LATCHKEY_GROUP_ROLES: 'team=' }, /LATCHKEY_GROUP_ROLES /],
  [{ LATCHKEY_GROUP_ROLES: 'team=editor' }, /LATCHKEY_ALLOWED_ROLES does not allow: add it there/],
  [
    { LATCHKEY_ROLES_QUERY: 'query { x }' },
    /LATCHKEY_ROLES_QUERY also needs HASURA_GRAPHQL_ENDPOINT and HASURA_GRAPHQL_ADMIN_SECRET/,
  ],
  [
    { LATCHKEY_ROLES_QUERY: 'query { x }', HASURA_GRAPHQL_ENDPOINT: 'https://hasura.example.com' },
    /LATCHKEY_ROLES_QUERY also needs HASURA_GRAPHQL_ADMIN_SECRET:/,
  ],
  [{ COGNITO_FEDERATED_GROUPS: 'yes' }, /COGNITO_FEDERATED_GROUPS must be true or false/],
])('%j: named, with the fix', (environment, problem) => {
  expect(readClaimsConfig(environment)).toEqual({ problem: expect.stringMatching(problem) });
});

test('of several secrets the first one signs', () => {
  const other = `whsec_${Buffer.from('another key of thirty-two bytes!').toString('base64')}`;
  expect(
    readForwardingConfig({
      LATCHKEY_WEBHOOK_URL: 'https://identity.example.com/webhooks/cognito',
      COGNITO_WEBHOOK_SECRET: `${other},${SECRET}`,
    }),
  ).toEqual({ config: { url: 'https://identity.example.com/webhooks/cognito', secret: other } });
});

test.each<[Record<string, string>, RegExp]>([
  [
    { COGNITO_WEBHOOK_SECRET: SECRET },
    /^LATCHKEY_WEBHOOK_URL is missing: set it to .*\/webhooks\/cognito\.$/,
  ],
  [
    { LATCHKEY_WEBHOOK_URL: 'identity.example.com', COGNITO_WEBHOOK_SECRET: SECRET },
    /LATCHKEY_WEBHOOK_URL must be/,
  ],
  [
    { LATCHKEY_WEBHOOK_URL: 'https://identity.example.com' },
    /^COGNITO_WEBHOOK_SECRET is missing: set it to that of the identity service\.$/,
  ],
  [{ COGNITO_WEBHOOK_SECRET: ' ' }, /LATCHKEY_WEBHOOK_URL is missing: .*COGNITO_WEBHOOK_SECRET is missing: /],
  [
    { LATCHKEY_WEBHOOK_URL: 'https://identity.example.com', COGNITO_WEBHOOK_SECRET: 'hunter2' },
    /COGNITO_WEBHOOK_SECRET must be whsec_/,
  ],
])('%j: forwarding cannot be set up, and why', (environment, problem) => {
  expect(readForwardingConfig(environment)).toEqual({ problem: expect.stringMatching(problem) });
});
