import type { Trigger } from '@latchkey/cognito-triggers/build';
import { readClaimsConfig, readForwardingConfig } from '@latchkey/cognito-triggers/config';
import { LatchkeyError } from '@latchkey/core/errors';
import { needed, settingsError } from '@latchkey/core/settings/fields';
import { regionOf } from '@latchkey/identity/providers/cognito/pool';
import { COGNITO_SETTINGS } from '@latchkey/identity/providers/cognito/settings';
import type { Environment } from '../environment.ts';

const CLAIMS = [
  'LATCHKEY_ALLOWED_ROLES',
  'LATCHKEY_GROUP_ROLES',
  'LATCHKEY_MACHINE_ROLES',
  'LATCHKEY_CLAIMS',
  'COGNITO_FEDERATED_GROUPS',
  'LATCHKEY_ROLES_QUERY',
] as const;
/** Only for the query: the function then reads from Hasura with an administrator's rights. */
const QUERY = ['HASURA_GRAPHQL_ENDPOINT', 'HASURA_GRAPHQL_ADMIN_SECRET'] as const;
const FORWARDING = ['LATCHKEY_WEBHOOK_URL', 'COGNITO_WEBHOOK_SECRET'] as const;

export interface DeploySettings {
  readonly userPoolIds: readonly string[];
  readonly region: string;
  /** The variables of each function. */
  readonly variables: Readonly<Record<Trigger, Readonly<Record<string, string>>>>;
  /** The role that the identity service runs as, which is given the right to read the pools. */
  readonly serviceRole: string | undefined;
}

/**
 * What is to be deployed, from the same settings as the service's, checked as the functions themselves do.
 *
 * @throws LatchkeyError `configuration-invalid`
 */
export function readDeploySettings(environment: Environment): DeploySettings {
  const parsed = COGNITO_SETTINGS.pick({ COGNITO_USER_POOL_ID: true }).safeParse(environment);
  if (!parsed.success) throw settingsError(parsed.error);
  const userPoolIds = needed(
    parsed.data.COGNITO_USER_POOL_ID,
    'COGNITO_USER_POOL_ID',
    'copy it from Amazon Cognito → User pools → the pool → Overview → User pool ID',
  );
  const [region = '', ...others] = new Set(userPoolIds.map(regionOf));
  if (others.length > 0) {
    throw new LatchkeyError(
      'configuration-invalid',
      `A pool's functions must be in its region, and COGNITO_USER_POOL_ID names pools of ${[region, ...others].join(', ')}: run this once for each region, with COGNITO_USER_POOL_ID=<its pools> before the command.`,
    );
  }
  const query = environment.LATCHKEY_ROLES_QUERY === undefined ? [] : QUERY;
  const claims = pick(environment, [...CLAIMS, ...query]);
  const forwarding = pick(environment, FORWARDING);
  for (const { problem } of [readClaimsConfig(claims), readForwardingConfig(forwarding)]) {
    if (problem !== undefined) throw new LatchkeyError('configuration-invalid', problem);
  }
  return {
    userPoolIds,
    region,
    variables: {
      'pre-token-generation': claims,
      'forward-sign-in': forwarding,
      'forward-event': forwarding,
    },
    serviceRole: environment.LATCHKEY_SERVICE_ROLE,
  };
}

function pick(environment: Environment, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}
