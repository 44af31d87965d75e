/** `npm run engine`: the embedded engine in the foreground, with Hasura's settings (HASURA_GRAPHQL_*). */
import { setFlagsFromString } from 'node:v8';
import { ConfigError, readConfig } from '#base/config.ts';
import { createLogger } from '#base/log.ts';
import { startEngineServer } from './engine.ts';

// On a machine with much memory V8 lets the heap grow to four times the live data before it collects garbage. Half of
// that growth takes a quarter less memory under load. It costs a fifth more processor time for large batches, and
// nothing that could be measured for queries.
setFlagsFromString('--heap-growing-percent=50');

const log = createLogger((line) => process.stdout.write(line));

try {
  const engine = await startEngineServer(readConfig(), log);
  log.info('startup', { message: `listening on ${engine.url}`, url: engine.url });
  let closing = false;
  const stop = (signal: NodeJS.Signals) => {
    // A second signal means now.
    if (closing) process.exit(1);
    closing = true;
    log.info('shutdown', { signal });
    void engine.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
