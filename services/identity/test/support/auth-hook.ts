import { CLAIM_SETTINGS } from '@latchkey/core/settings/claims';
import { POOL } from '@latchkey/tests/support/cognito';
import { type EmbeddedProject, startEmbedded } from '@latchkey/tests/support/embedded';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type LightMyRequestResponse } from 'fastify';
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';
import { createSessionUsers } from '#auth/session-users.ts';
import { createHasuraClient } from '#hasura/client.ts';
import { errorHandler } from '#http/errors.ts';
import { createLogger } from '#http/logger.ts';
import { authHook } from '#http/routes/auth-hook.ts';
import { CASDOOR_OWNER, type Issuers, SUBJECT, startIssuers } from './issuer.ts';

export type HookHeaders = Record<string, string>;

/** The auth hook of a service whose tables are in a real engine, anew for each test. */
export interface AuthHookBench {
  readonly project: EmbeddedProject;
  readonly issuers: Issuers;
  /** The service; a test may put one that is {@link build built} otherwise in its place. */
  app: FastifyInstance;
  /** What the service has logged. */
  readonly logged: string;
  build(settings?: {
    unauthorizedRole?: string;
    claims?: string;
    sessionSeconds?: number;
    /** How the service sends to the engine. */
    fetch?: typeof fetch;
  }): FastifyInstance;
  /** The row of whoever the tokens are of. */
  insertRow(columns?: Record<string, unknown>): Promise<void>;
  /** Asks as Hasura does by POST, with these headers of a client. */
  ask(headers: HookHeaders): Promise<LightMyRequestResponse>;
}

export const TENANTS = { clerk: '', casdoor: CASDOOR_OWNER, cognito: POOL };

export const bearer = (token: string): HookHeaders => ({ Authorization: `Bearer ${token}` });

/** To be called once in a file of tests: it begins and ends with each of them. */
export function useAuthHook(): AuthHookBench {
  let project: EmbeddedProject;
  let issuers: Issuers;
  let logged = '';

  beforeAll(async () => {
    project = await startEmbedded();
  });
  afterAll(() => project?.close());
  beforeEach(async () => {
    issuers = await startIssuers(['editor']);
    bench.app = bench.build();
  });
  afterEach(async () => {
    vi.useRealTimers();
    await bench.app.close();
    await issuers.close();
    await project.database.query('truncate users, organizations cascade');
  });

  const bench: AuthHookBench = {
    get project() {
      return project;
    },
    get issuers() {
      return issuers;
    },
    get logged() {
      return logged;
    },
    app: Fastify(),
    build({ unauthorizedRole, claims: listed = '', sessionSeconds, fetch: send } = {}) {
      logged = '';
      const claims = CLAIM_SETTINGS.parse({ LATCHKEY_CLAIMS: listed }).LATCHKEY_CLAIMS;
      const logger: FastifyBaseLogger = createLogger('trace', {
        write(line) {
          logged += line;
        },
      });
      const created = Fastify({ loggerInstance: logger });
      created.setErrorHandler(errorHandler);
      const users = createSessionUsers(createHasuraClient(project.config, send && { fetch: send }), claims);
      authHook(created, { providers: issuers.providers, users, claims, unauthorizedRole, sessionSeconds });
      return created;
    },
    async insertRow(columns = {}) {
      const row = { id: SUBJECT, provider: 'clerk', source_updated_at: '2026-01-01', ...columns };
      const places = Object.keys(row).map((_, index) => `$${index + 1}`);
      await project.database.query(
        `insert into users (${Object.keys(row)}) values (${places})`,
        Object.values(row),
      );
    },
    ask: (headers) =>
      bench.app.inject({
        method: 'POST',
        url: '/auth/hook',
        payload: { headers, request: { query: '{ users { id } }' } },
      }),
  };
  return bench;
}
