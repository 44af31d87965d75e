import { LatchkeyError } from '@latchkey/core/errors';
import type { FastifyInstance } from 'fastify';
import { jwtModeProblemOf } from '#auth/jwt-mode.ts';
import type { HasuraClient } from '#hasura/client.ts';
import type { TrustMode } from '#hasura/trust-mode.ts';
import type { Registry } from '#providers/registry.ts';

export interface HealthSettings {
  readonly engine: Pick<HasuraClient, 'checkTables'>;
  readonly providers: Registry;
  /** How the engine trusts tokens; undefined where it does not tell. */
  readonly trustMode?: () => Promise<TrustMode | undefined>;
}

/** `/healthz`: the process is alive. `/readyz`: it can do its work; if not, what fails and the fix. */
export function health(app: FastifyInstance, { engine, providers, trustMode }: HealthSettings): void {
  const jwtProblem = jwtModeProblemOf(providers);

  app.get('/healthz', { logLevel: 'warn' }, async () => ({ status: 'ok' }));

  app.get('/readyz', { logLevel: 'warn' }, async (_request, reply) => {
    try {
      await engine.checkTables();
    } catch (error) {
      if (!(error instanceof LatchkeyError)) throw error;
      return reply.code(503).send({ status: 'unavailable', checks: { engine: error.message } });
    }
    if (jwtProblem !== undefined && (await trustMode?.()) === 'jwt') {
      return reply.code(503).send({ status: 'unavailable', checks: { engine: 'ok', trust: jwtProblem } });
    }
    return { status: 'ok', checks: { engine: 'ok' } };
  });
}
