import { LatchkeyError } from '@latchkey/core/errors';
import type { FastifyInstance } from 'fastify';
import { secretCheck } from '#core/secrets.ts';

/** The header in which Hasura shows its secret (metadata/actions.yaml, metadata/cron_triggers.yaml). */
const HEADER = 'x-latchkey-secret';

/**
 * Lets only those requests into a scope that show one of the secrets which Hasura and the service
 * share, before anything of them is read.
 */
export function requireEngineSecret(scope: FastifyInstance, secrets: readonly string[]): void {
  const isSecret = secretCheck(secrets);
  scope.addHook('onRequest', async ({ headers }) => {
    if (secrets.length === 0) {
      throw new LatchkeyError(
        'configuration-invalid',
        'LATCHKEY_ACTION_SECRET is missing: give the service and Hasura the same (openssl rand -hex 32 makes one).',
      );
    }
    if (!isSecret(headers[HEADER])) {
      throw new LatchkeyError(
        'secret-invalid',
        `The header ${HEADER} is missing or holds another secret: give Hasura and the service the same LATCHKEY_ACTION_SECRET.`,
      );
    }
  });
}
