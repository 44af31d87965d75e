/** `npm run engine`: the embedded engine in the foreground, told by HASURA_GRAPHQL_* what Hasura would be told. */
import { setFlagsFromString } from 'node:v8';
import { ConfigError, readConfig } from './base/config.ts';
import { createLogger } from './base/log.ts';
import { createEngine } from './engine.ts';

// Where a machine has much memory V8 lets the heap grow to four times of what lives before it looks for
// garbage. Less than half as much saves a quarter of the memory under load. It costs a fifth of the processor
// time of large batches, and nothing that could be measured of queries.
setFlagsFromString('--heap-growing-percent=50');

const log = createLogger((line) => process.stdout.write(line));

try {
  const engine = await createEngine(readConfig(), log);
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
