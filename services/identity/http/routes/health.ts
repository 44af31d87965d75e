import type { FastifyInstance } from 'fastify';
import { LatchkeyError } from '../../core/errors.ts';
import type { Engine } from '../../hasura/graphql.ts';

/** `/healthz`: the process is alive. `/readyz`: it can do its work; if not, what fails and the mend. */
export function health(app: FastifyInstance, { engine }: { engine: Pick<Engine, 'checkTables'> }): void {
  app.get('/healthz', { logLevel: 'warn' }, async () => ({ status: 'ok' }));

  app.get('/readyz', { logLevel: 'warn' }, async (_request, reply) => {
    try {
      await engine.checkTables();
      return { status: 'ok', checks: { engine: 'ok' } };
    } catch (error) {
      if (!(error instanceof LatchkeyError)) throw error;
      return reply.code(503).send({ status: 'unavailable', checks: { engine: error.message } });
    }
  });
}
