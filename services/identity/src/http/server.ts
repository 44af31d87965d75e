import { LatchkeyError } from '@latchkey/core/errors';
import { jwtModeProblemOf } from '#auth/jwt-mode.ts';
import { readConfig } from '#config/read-config.ts';
import { createHasuraClient } from '#hasura/client.ts';
import { readTrustMode } from '#hasura/trust-mode.ts';
import { loadProviders } from '#providers/registry.ts';
import { createWriter } from '#sync/writer.ts';
import { buildApp } from './app.ts';
import { createLogger } from './logger.ts';

/** Owns the process: the settings, the port, the signals and the exit status. */
async function main(): Promise<void> {
  const config = readConfig();
  const logger = createLogger(config.logLevel);
  if (config.engineSecrets.length === 0) {
    logger.warn('LATCHKEY_ACTION_SECRET is missing: actions and cron triggers are refused (docs/actions.md)');
  }
  const engine = createHasuraClient(config.engine);
  const providers = await loadProviders(config.providers, engine);
  const problem = config.hasJwtSecret ? jwtModeProblemOf(providers) : undefined;
  if (problem !== undefined) {
    throw new LatchkeyError('configuration-invalid', `HASURA_GRAPHQL_JWT_SECRET(S) is set: ${problem}`);
  }
  const app = buildApp({
    providers,
    writer: createWriter(engine, config.writer),
    engine,
    engineSecrets: config.engineSecrets,
    retentionDays: config.retentionDays,
    deletionLimit: config.deletionLimit,
    logger,
    unauthorizedRole: config.unauthorizedRole,
    claims: config.providers.claims,
    trustMode: () => readTrustMode(config.engine),
    sessionSeconds: config.sessionSeconds,
  });

  let isStopping = false;
  const stop = (signal: NodeJS.Signals) => {
    // A second signal: somebody does not want to wait.
    if (isStopping) process.exit(1);
    isStopping = true;
    logger.info({ signal }, 'stopping: no new requests, finishing those under way');
    app.close().then(
      () => logger.info('stopped'),
      (err: unknown) => {
        logger.error({ err }, 'stopped badly');
        process.exitCode = 1;
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  await app.listen(config.http).catch((cause: unknown) => {
    throw new LatchkeyError(
      'configuration-invalid',
      `LATCHKEY_PORT ${config.http.port} of LATCHKEY_HOST ${config.http.host} cannot be listened on: choose another, or stop what holds it.`,
      { cause },
    );
  });
}

await main().catch((error: unknown) => {
  if (!(error instanceof LatchkeyError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.exitCode;
});
