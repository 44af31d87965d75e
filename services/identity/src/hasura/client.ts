import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { LatchkeyError } from '@latchkey/core/errors';
import { fetchWithoutRedirects, RedirectError } from '@latchkey/core/redirects';
import { ClientError, GraphQLClient } from 'graphql-request';
import { z } from 'zod';
import { stringify } from '#core/raw-json.ts';
import type { EngineConfig } from '#core/settings/service.ts';
import type { StoredState } from '#core/stored-state.ts';
import {
  CheckTablesDocument,
  type CheckTablesQuery,
  HasTenantDocument,
  OrganizationsOfDocument,
  OwnerOfDocument,
  UsersWithRoleDocument,
  WriteBatchDocument,
  type WriteBatchMutation,
  type WriteBatchMutationVariables,
} from '#hasura/generated/documents.ts';

/**
 * The operations that the service runs, with an administrator's rights. Each may throw LatchkeyError
 * - `record-refused`: the data cannot be stored, now or later
 * - `engine-busy`: another transaction was in the way, nothing was changed, and it may be tried at once
 * - `engine-refused`: the engine is there and will not serve us: wrong secret, tables not tracked, its
 *   own database gone
 * - `engine-unreachable`: no answer in time; what was sent may have been done or not
 */
export interface HasuraClient extends StoredState {
  /** Runs any of the typed documents. */
  request<Result, Variables extends object>(
    document: TypedDocumentNode<Result, Variables>,
    variables: Variables,
  ): Promise<Result>;
  writeBatch(variables: WriteBatchMutationVariables): Promise<WriteBatchMutation>;
  /** Reads a row of each table that is written to. */
  checkTables(): Promise<CheckTablesQuery>;
}

const TEXTS = z.array(z.string()).catch([]);

const ERRORS = z.array(
  z.object({
    message: z.string(),
    extensions: z
      .object({
        code: z.string().catch('unknown'),
        // PostgreSQL's own error, which Hasura shows to administrators.
        internal: z
          .object({ error: z.object({ status_code: z.string() }) })
          .optional()
          .catch(undefined),
      })
      .catch({ code: 'unknown', internal: undefined }),
  }),
);

/** To an administrator Hasura's `permission-error` can only be a CHECK constraint of the table. */
const DATA_CODES = new Set(['constraint-violation', 'data-exception', 'permission-error', 'bad-request']);
/** PostgreSQL's classes: data exception, integrity violation, a limit such as the size of an index row. */
const DATA_CLASSES = new Set(['22', '23', '54']);
const ROLLBACK_CLASS = '40';

/**
 * A client of the engine's GraphQL API.
 *
 * @param options.fetch another transport, for tests
 */
export function createHasuraClient(
  { endpoint, adminSecret, timeoutMs }: EngineConfig,
  options: { fetch?: typeof fetch } = {},
): HasuraClient {
  const client = new GraphQLClient(`${endpoint}/v1/graphql`, {
    headers: {
      'x-hasura-admin-secret': adminSecret,
      // Hasura is near: to unpack its answers takes longer than to read them as they are.
      'accept-encoding': 'identity',
    },
    jsonSerializer: { parse: JSON.parse, stringify },
    fetch: fetchWithoutRedirects('HASURA_GRAPHQL_ENDPOINT', options.fetch),
  });
  async function request<Result, Variables extends object>(
    document: TypedDocumentNode<Result, Variables>,
    variables: Variables,
  ): Promise<Result> {
    // AbortSignal.timeout() would hold on to what was sent until its time is over.
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), timeoutMs);
    try {
      return await client.request<Result>({ document, variables, signal: deadline.signal });
    } catch (error) {
      throw translate(error);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    request,
    writeBatch: (variables) => request(WriteBatchDocument, variables),
    checkTables: () => request(CheckTablesDocument, {}),
    async organizationsOf({ provider, id: userId }, tenants) {
      const variables = { userId, provider, tenants: [...tenants, ''] };
      const { organization_memberships: memberships } = await request(OrganizationsOfDocument, variables);
      return memberships.map(({ organization_id: id, tenant }) => ({ id, tenant }));
    },
    async usersWithRole({ provider, tenant }, role, limit) {
      const { users } = await request(UsersWithRoleDocument, { provider, tenant, roles: [role], limit });
      return users.map(({ id }) => id);
    },
    async ownerOf(id) {
      const { users_by_pk: row } = await request(OwnerOfDocument, { id });
      if (row === null) return undefined;
      const { provider, tenant, source_created_at: createdAt, source_updated_at: clock } = row;
      return {
        provider,
        tenant,
        clock: Date.parse(clock),
        sourceCreatedAt: createdAt === null ? null : Date.parse(createdAt),
        deleted: row.deleted_at !== null,
        username: row.username,
        roles: TEXTS.parse(row.roles),
      };
    },
    async hasTenant({ provider, tenant }) {
      const { organizations, users } = await request(HasTenantDocument, { provider, tenant });
      return organizations.length + users.length > 0;
    },
  };
}

/**
 * A ClientError holds the whole request, personal data included, so it is never passed on as a cause.
 */
function translate(error: unknown): LatchkeyError {
  if (error instanceof RedirectError) return new LatchkeyError('engine-unreachable', `${error.message}.`);
  if (!(error instanceof ClientError)) {
    return new LatchkeyError(
      'engine-unreachable',
      'Hasura does not answer: start it, or correct HASURA_GRAPHQL_ENDPOINT.',
      { cause: error },
    );
  }
  const first = ERRORS.safeParse(error.response.errors).data?.[0];
  if (first === undefined) {
    return new LatchkeyError(
      'engine-unreachable',
      `HASURA_GRAPHQL_ENDPOINT answers with status ${error.response.status}, and not as Hasura does: correct it, or look at what stands between.`,
    );
  }
  const { code, internal } = first.extensions;
  const sqlState = internal?.error.status_code ?? '';
  if (DATA_CODES.has(code) || DATA_CLASSES.has(sqlState.slice(0, 2))) {
    return new LatchkeyError('record-refused', `${code}: ${first.message}`);
  }
  if (code === 'concurrent-update' || sqlState.startsWith(ROLLBACK_CLASS)) {
    return new LatchkeyError(
      'engine-busy',
      `Another transaction was in the way (${sqlState || code}): try again.`,
    );
  }
  return new LatchkeyError('engine-refused', `Hasura refuses with ${code}: ${fixFor(code)}`);
}

function fixFor(code: string): string {
  switch (code) {
    case 'access-denied':
    case 'invalid-headers':
    case 'invalid-jwt':
      return 'HASURA_GRAPHQL_ADMIN_SECRET is not the one it was started with.';
    case 'validation-failed':
    case 'not-exists':
    case 'not-found':
      return 'its tables are not there or not tracked; run "npx latchkey apply".';
    default:
      return 'look at its log, and at its database.';
  }
}
