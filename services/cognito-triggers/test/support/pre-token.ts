import { fixture, type JsonFixture, POOL, SUB } from '@latchkey/tests/support/cognito';
import { type ClaimsConfig, readClaimsConfig } from '#config.ts';

export const NAMESPACE = 'https://hasura.io/jwt/claims';

export function configured(environment: Record<string, string>): ClaimsConfig {
  const { config, problem } = readClaimsConfig(environment);
  if (config === undefined) throw new Error(problem);
  return config;
}

/** A recorded event with other groups. */
export function inGroups(name: string, groups: unknown): JsonFixture {
  const event = fixture(name);
  return {
    ...event,
    request: { ...Object(event.request), groupConfiguration: { groupsToOverride: groups } },
  };
}

export const user = {
  'x-hasura-default-role': 'user',
  'x-hasura-allowed-roles': ['user'],
  'x-hasura-user-id': SUB,
  'x-hasura-identity-provider': 'cognito',
  'x-hasura-identity-tenant': POOL,
  'x-hasura-org-ids': `{"${POOL}/admins"}`,
};

/** The claims that the answer adds to the ID token of a V1_0 event, parsed. */
export function v1Claims(answer: object): unknown {
  const { claimsOverrideDetails } = Object('response' in answer && answer.response);
  const text: unknown = claimsOverrideDetails?.claimsToAddOrOverride?.[NAMESPACE];
  return typeof text === 'string' ? JSON.parse(text) : text;
}
