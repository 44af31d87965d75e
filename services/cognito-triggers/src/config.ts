import { CLAIM_SETTINGS, type CustomClaim } from '@latchkey/core/settings/claims';
import { flag, httpUrl, isSigningSecret, list, setting } from '@latchkey/core/settings/fields';
import { ROLE_SETTINGS, roleName } from '@latchkey/core/settings/roles';
import { z } from 'zod';

const pairs = (example: string) =>
  list.transform((parts, context) =>
    parts.map((part) => {
      const at = part.lastIndexOf('=');
      const role = roleName.safeParse(part.slice(at + 1));
      const key = part.slice(0, Math.max(at, 0)).trim();
      if (key === '' || !role.success) {
        context.addIssue(
          key === ''
            ? `must look like ${example}`
            : (role.error?.issues[0]?.message ?? `must look like ${example}`),
        );
        return z.NEVER;
      }
      return [key, role.data] as const;
    }),
  );

const CLAIMS = z.object({
  // The roles that tokens may carry besides user, with commas between them. A group of the same name
  // gives the role; every other group gives nothing.
  LATCHKEY_ALLOWED_ROLES: ROLE_SETTINGS.shape.LATCHKEY_ALLOWED_ROLES,
  // For groups that are named otherwise than their role: <group>=<role>, with commas between them. The
  // roles must be allowed above.
  LATCHKEY_GROUP_ROLES: setting(pairs('content-team=editor').default([])),
  // For V3_0 events: what machines may do that sign in with client credentials: <Client ID>=<role>,
  // with commas between them. All others get no claims for Hasura at all.
  LATCHKEY_MACHINE_ROLES: setting(pairs('1example23456789abcdefghij=importer').default([])),
  // The attributes of users that become session variables, as on the service: <name> or <name>=<attribute>,
  // with commas between them. A bare name is that of a custom attribute.
  LATCHKEY_CLAIMS: CLAIM_SETTINGS.shape.LATCHKEY_CLAIMS,
  // As on the service: whether Cognito's own groups, <User pool ID>_<Provider>, are organizations too.
  COGNITO_FEDERATED_GROUPS: flag,
  // A GraphQL query that tells a user's roles from Hasura, for example
  //   query ($id: String!) { user_roles(where: { user_id: { _eq: $id } }) { role } }
  // Every text in its answer that is an allowed role counts.
  LATCHKEY_ROLES_QUERY: setting(z.string().optional()),
  HASURA_GRAPHQL_ENDPOINT: setting(httpUrl('https://hasura.example.com').optional()),
  HASURA_GRAPHQL_ADMIN_SECRET: setting(z.string().optional()),
});

const FORWARDING = z.object({
  // The public address of the identity service and /webhooks/cognito.
  LATCHKEY_WEBHOOK_URL: setting(
    z
      .string('is missing: set it to the public address of the identity service and /webhooks/cognito')
      .pipe(httpUrl('https://identity.example.com/webhooks/cognito')),
  ),
  // As on the service. Of several the first one signs.
  COGNITO_WEBHOOK_SECRET: setting(
    z.string('is missing: set it to that of the identity service').pipe(
      list
        .refine((secrets) => secrets.length > 0 && secrets.every(isSigningSecret), {
          error: 'must be whsec_ and base64, the same as on the service',
        })
        .transform((secrets) => secrets[0] ?? ''),
    ),
  ),
});

export interface ClaimsConfig {
  /** Never `admin`. */
  readonly allowedRoles: ReadonlySet<string>;
  /** Group to role. */
  readonly groupRoles: ReadonlyMap<string, string>;
  /** Client ID to roles, the first of which is the default. */
  readonly machineRoles: ReadonlyMap<string, readonly string[]>;
  /** The attributes that become session variables. */
  readonly claims: readonly CustomClaim[];
  /** Whether the groups that Cognito makes by itself are organizations. */
  readonly keepsFederatedGroups: boolean;
  readonly hasura:
    | { readonly endpoint: string; readonly adminSecret: string; readonly query: string }
    | undefined;
}

/** What holds where the configuration cannot be read: everybody is a user, machines are nothing. */
export const LEAST_CLAIMS: ClaimsConfig = {
  allowedRoles: new Set(),
  groupRoles: new Map(),
  machineRoles: new Map(),
  claims: [],
  keepsFederatedGroups: false,
  hasura: undefined,
};

export interface ForwardingConfig {
  readonly url: string;
  /** `whsec_…` */
  readonly secret: string;
}

export type Outcome<T> =
  | { readonly config: T; readonly problem?: undefined }
  | { readonly config?: undefined; readonly problem: string };

/** Reads the settings of the Pre token generation function. A `problem` names the variable and the fix. */
export function readClaimsConfig(environment: NodeJS.ProcessEnv = process.env): Outcome<ClaimsConfig> {
  const parsed = CLAIMS.safeParse(environment);
  if (!parsed.success) return { problem: describe(parsed.error) };
  const env = parsed.data;
  const allowedRoles = new Set(env.LATCHKEY_ALLOWED_ROLES);
  const stranger = env.LATCHKEY_GROUP_ROLES.find(([, role]) => !allowedRoles.has(role));
  if (stranger !== undefined) {
    return {
      problem: `LATCHKEY_GROUP_ROLES gives the role ${stranger[1]}, which LATCHKEY_ALLOWED_ROLES does not allow: add it there.`,
    };
  }
  const [query, endpoint, adminSecret] = [
    env.LATCHKEY_ROLES_QUERY,
    env.HASURA_GRAPHQL_ENDPOINT,
    env.HASURA_GRAPHQL_ADMIN_SECRET,
  ];
  const missing = [
    ...(endpoint === undefined ? ['HASURA_GRAPHQL_ENDPOINT'] : []),
    ...(adminSecret === undefined ? ['HASURA_GRAPHQL_ADMIN_SECRET'] : []),
  ];
  if (query !== undefined && missing.length > 0) {
    const which = missing.join(' and ');
    return { problem: `LATCHKEY_ROLES_QUERY also needs ${which}: set what is missing to Hasura’s own.` };
  }
  const machineRoles = new Map<string, readonly string[]>();
  for (const [client, role] of env.LATCHKEY_MACHINE_ROLES) {
    machineRoles.set(client, [...(machineRoles.get(client) ?? []), role]);
  }
  return {
    config: {
      allowedRoles,
      groupRoles: new Map(env.LATCHKEY_GROUP_ROLES),
      machineRoles,
      claims: env.LATCHKEY_CLAIMS,
      keepsFederatedGroups: env.COGNITO_FEDERATED_GROUPS,
      hasura:
        query === undefined || endpoint === undefined || adminSecret === undefined
          ? undefined
          : { endpoint, adminSecret, query },
    },
  };
}

/** Reads the settings of the functions that forward. A `problem` names the variable and the fix. */
export function readForwardingConfig(
  environment: NodeJS.ProcessEnv = process.env,
): Outcome<ForwardingConfig> {
  const parsed = FORWARDING.safeParse(environment);
  if (!parsed.success) return { problem: describe(parsed.error) };
  const { LATCHKEY_WEBHOOK_URL: url, COGNITO_WEBHOOK_SECRET: secret } = parsed.data;
  return { config: { url, secret } };
}

function describe(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path[0]?.toString() ?? ''} ${issue.message}.`).join(' ');
}
