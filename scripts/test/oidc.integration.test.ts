import { describe, expect, test } from 'vitest';
import { latchkey } from './support/run-latchkey.ts';

const OIDC = {
  OIDC_ISSUER: 'https://tenant.eu.auth0.com/',
  OIDC_AUDIENCE: 'https://api.example.com',
  LATCHKEY_SERVICE_URL: 'http://identity:8081',
};
const SERVICE = { HASURA_GRAPHQL_ADMIN_SECRET: 'x', ...OIDC };

describe('jwt-secret', () => {
  test('has Hasura ask the service, and says what the client at the issuer must be', () => {
    const { status, stdout, stderr } = latchkey(['jwt-secret', '--strict', '--env'], OIDC);
    expect(status).toBe(0);
    expect(stdout).toContain('HASURA_GRAPHQL_AUTH_HOOK=');
    expect(stderr).toContain('Hasura will trust tokens of https://tenant.eu.auth0.com/.');
    expect(stderr).toContain('name https://api.example.com as their audience');
  });

  test.each([
    ['alone', 'oidc', {}],
    ['beside another', 'clerk,oidc', { CLERK_FRONTEND_API_URL: 'https://clerk.example.com' }],
  ])('does not have Hasura trust it by itself, %s', (_, providers, more) => {
    const args = ['jwt-secret', '--edition', 'ee', '--provider', providers];
    const { status, stdout, stderr } = latchkey(args, { ...OIDC, ...more });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain('--strict');
  });

  test('takes its settings as flags', () => {
    const flags = ['--oidc-issuer', 'https://login.example.com', '--oidc-audience', 'api'];
    const { status, stderr } = latchkey(['jwt-secret', '--provider', 'oidc', '--strict', ...flags]);
    expect(status).toBe(0);
    expect(stderr).toContain('Hasura will trust tokens of https://login.example.com.');
  });
});

test.each([[['--provider', 'oidc']], [[]]])(
  'sync backfill %j says that there is nobody to list, and why',
  (args) => {
    const { status, stderr } = latchkey(['sync', 'backfill', ...args], SERVICE);
    expect(status).toBe(2);
    expect(stderr).toContain('oidc has no directory, so nobody can be listed or looked up there');
    expect(stderr).toContain('OpenID Connect tells of people by their tokens alone (docs/oidc.md)');
  },
);
