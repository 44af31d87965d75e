import { fixture, type JsonFixture, POOL } from '@latchkey/tests/support/cognito';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { readClaimsConfig } from '#config.ts';
import { createPreToken } from '#pre-token.ts';
import { configured, inGroups, NAMESPACE, user, v1Claims } from './support/pre-token.ts';

const log = vi.fn();
afterEach(() => log.mockReset());

describe('attributes as claims', () => {
  const withAttributes = (name: string, attributes: Record<string, unknown>): JsonFixture => {
    const event = fixture(name);
    const request = Object(event.request);
    return {
      ...event,
      request: { ...request, userAttributes: { ...request.userAttributes, ...attributes } },
    };
  };
  const claimsOf = async (claims: string, attributes: Record<string, unknown>) =>
    Object(
      v1Claims(
        await createPreToken(
          configured({ LATCHKEY_CLAIMS: claims }),
          log,
        )(withAttributes('pretoken.v1.json', attributes)),
      ),
    );

  test('only those that are listed, a bare name being that of a custom attribute', async () => {
    const claims = await claimsOf('plan,tenant=tenant_id,language=locale,gone', {
      'custom:plan': 'pro',
      plan: 'not this one',
      'custom:tenant_id': 't1',
      'custom:secret': 'x',
      locale: 'en',
    });
    expect(claims).toEqual({
      ...user,
      'x-hasura-plan': 'pro',
      'x-hasura-tenant': 't1',
      'x-hasura-language': 'en',
      'x-hasura-gone': '',
    });
  });

  test('every value is a text: what is none, or would end a header, is empty', async () => {
    const claims = await claimsOf('a,b,c,d', {
      'custom:a': '7',
      'custom:b': 7,
      'custom:c': 'x\r\nx-hasura-role: admin',
      'custom:d': '{"a","b"}',
    });
    expect(claims).toMatchObject({
      'x-hasura-a': '7',
      'x-hasura-b': '',
      'x-hasura-c': '',
      'x-hasura-d': '{"a","b"}',
    });
  });

  test.each([
    'role',
    'allowed-roles',
    'default-role',
    'user-id',
    'org-ids',
    'identity-tenant',
    'identity-provider',
    'admin-secret',
  ])('%s cannot be listed, and then nothing is: the role user alone', (name) => {
    expect(readClaimsConfig({ LATCHKEY_CLAIMS: `plan,${name}=plan` })).toEqual({
      problem: expect.stringContaining(`LATCHKEY_CLAIMS must not hold ${name}`),
    });
  });

  test('a V2_0 event carries them in both tokens, and as texts', async () => {
    const answer = await createPreToken(
      configured({ LATCHKEY_CLAIMS: 'plan' }),
      log,
    )(withAttributes('pretoken.v2.json', { 'custom:plan': 'pro' }));
    const added = { claimsToAddOrOverride: { [NAMESPACE]: { ...user, 'x-hasura-plan': 'pro' } } };
    expect(answer).toMatchObject({
      response: { claimsAndScopeOverrideDetails: { idTokenGeneration: added, accessTokenGeneration: added } },
    });
  });
});

describe('organizations as a claim', () => {
  const organizationsOf = async (groups: unknown, environment: Record<string, string> = {}) =>
    Object(
      v1Claims(await createPreToken(configured(environment), log)(inGroups('pretoken.v1.json', groups))),
    )['x-hasura-org-ids'];

  test('are all groups, as an array literal that nothing in their names can end', async () => {
    expect(await organizationsOf(['a', 'b"},c\\'])).toBe(`{"${POOL}/a","${POOL}/b\\"},c\\\\"}`);
    expect(await organizationsOf([])).toBe('{}');
    expect(await organizationsOf(null)).toBe('{}');
  });

  test('leave the automatic groups of federated users out, unless they are asked for', async () => {
    const groups = [`${POOL}_Google`, 'a'];
    expect(await organizationsOf(groups)).toBe(`{"${POOL}/a"}`);
    expect(await organizationsOf(groups, { COGNITO_FEDERATED_GROUPS: 'true' })).toBe(
      `{"${POOL}/${POOL}_Google","${POOL}/a"}`,
    );
  });
});
